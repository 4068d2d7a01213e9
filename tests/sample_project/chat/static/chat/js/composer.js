// The form at the bottom: text by keyboard; images from the file picker, the clipboard, or dropped anywhere.

import { byId } from "./dom.js";
import { fittingImage, UnusableImage } from "./images.js";

export class Composer {
  #text = byId("text");

  constructor({ onText, onImage, onTyping, onProblem }) {
    Object.assign(this, { onText, onImage, onTyping, onProblem });
    byId("composer").addEventListener("submit", (event) => this.#submit(event));
    this.#text.addEventListener("keydown", (event) => this.#key(event));
    this.#text.addEventListener("input", () => this.#typed());
    this.#text.addEventListener("blur", () => this.onTyping(false));
    this.#acceptImages();
  }

  focus() {
    // A phone would open its keyboard over what there is to read.
    if (matchMedia("(pointer: fine)").matches) this.#text.focus();
  }

  #submit(event) {
    event.preventDefault();
    const text = this.#text.value.trim();
    if (text) this.onText(text);
    this.#text.value = "";
    this.#typed();
    this.#text.focus();
  }

  #key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    byId("composer").requestSubmit();
  }

  #typed() {
    this.#text.style.height = "auto";
    this.#text.style.height = `${this.#text.scrollHeight}px`;
    this.onTyping(this.#text.value.trim() !== "");
  }

  #acceptImages() {
    const file = byId("image-file");
    byId("pick-image").addEventListener("click", () => file.click());
    file.addEventListener("change", () => {
      this.#send([...file.files]);
      file.value = "";
    });
    document.addEventListener("paste", (event) => {
      if (byId("app").hidden || !event.clipboardData.files.length) return;
      event.preventDefault();
      this.#send([...event.clipboardData.files]);
    });
    this.#acceptDrops(byId("app"));
  }

  #acceptDrops(area) {
    const carriesFiles = (event) => event.dataTransfer.types.includes("Files");
    area.addEventListener("dragover", (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      area.classList.add("dropping");
    });
    area.addEventListener("dragleave", (event) => {
      if (!area.contains(event.relatedTarget)) area.classList.remove("dropping");
    });
    area.addEventListener("drop", (event) => {
      area.classList.remove("dropping");
      if (!carriesFiles(event)) return;
      event.preventDefault();
      this.#send([...event.dataTransfer.files]);
    });
  }

  async #send(files) {
    for (const file of files) {
      try {
        this.onImage(await fittingImage(file));
      } catch (error) {
        if (!(error instanceof UnusableImage)) throw error;
        this.onProblem(error.message);
      }
    }
  }
}
