// Images fit into one payload of the server, or are made to fit.

const TYPES = ["image/png", "image/jpeg", "image/gif", "image/webp"];
const SIDES = [2048, 1600, 1200, 800];

export const maxImageBytes = Number(document.body.dataset.maxImageBytes);

export class UnusableImage extends Error {}

export async function fittingImage(file) {
  if (!TYPES.includes(file.type)) throw new UnusableImage("Only PNG, JPEG, GIF and WebP images can be sent.");
  if (file.size <= maxImageBytes) return file;
  // Drawing a GIF would keep its first frame only.
  const smaller = file.type === "image/gif" ? null : await shrink(file);
  if (smaller) return smaller;
  throw new UnusableImage(`The image has ${kilobytes(file.size, Math.ceil)}, and at most ${kilobytes(maxImageBytes, Math.floor)} can be sent.`);
}

async function shrink(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new UnusableImage("This file is not an image that the browser can read.");
  }
  for (const side of SIDES) {
    const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
    const blob = await draw(bitmap, Math.round(bitmap.width * scale), Math.round(bitmap.height * scale));
    if (blob.size <= maxImageBytes) return blob;
  }
  return null;
}

function draw(bitmap, width, height) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0, width, height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.85));
}

function kilobytes(bytes, round) {
  return `${round(bytes / 1000)} kB`;
}
