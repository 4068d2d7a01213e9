// This tab keeps its nickname over a reload; the browser remembers the last one for the next visit. Two tabs of one
// browser can be two people that way. Storage may be forbidden, and then nothing is remembered.

const KEY = "django-sio-chat.nickname";

export const currentNickname = () => read("sessionStorage");
export const lastNickname = () => read("localStorage");

export function rememberNickname(nickname) {
  write("sessionStorage", nickname);
  write("localStorage", nickname);
}

export function forgetCurrentNickname() {
  write("sessionStorage", "");
}

function read(storage) {
  try {
    return window[storage].getItem(KEY) ?? "";
  } catch {
    return "";
  }
}

function write(storage, nickname) {
  try {
    window[storage].setItem(KEY, nickname);
  } catch {
    // Nothing is remembered.
  }
}
