// The chat: what happens when a person or the server does something. The other files know one thing each.

import { addressWithTransport, createConnection, transportFromAddress } from "./connection.js";
import { byId, paintAvatar } from "./dom.js";
import { Composer } from "./composer.js";
import { MessageLog } from "./message-log.js";
import { newId, Outbox } from "./outbox.js";
import { currentNickname, forgetCurrentNickname, lastNickname, rememberNickname } from "./nickname.js";
import { roomAddress, roomFromAddress } from "./address.js";
import { Sidebar } from "./sidebar.js";
import { countUnread, showRoomInTitle } from "./title.js";
import { TypingLine, TypingSignal } from "./typing.js";

const TRANSPORT_NOTES = {
  offline: "Trying to reach the server.",
  polling: "Messages travel in HTTP requests.",
  websocket: "Messages travel over a WebSocket.",
};

const { chat, status, useTransport } = createConnection(transportFromAddress(), showTransport);
const log = new MessageLog();
const outbox = new Outbox(chat, (message, error) => log.showDelivery(message.id, message.state, error));
const sidebar = new Sidebar({ onNewRoom: goToRoom });
const typingLine = new TypingLine();
const typingSignal = new TypingSignal(chat);
const composer = new Composer({
  onText: (text) => send({ text }),
  onImage: (image) => send({ image }),
  onTyping: (typing) => typingSignal.update(typing),
  onProblem: notify,
});

let nickname = "";
let room = "";
let inside = false;
let noticeTimer;

// Arriving and leaving

function enter(name) {
  nickname = name;
  showApp();
  showRoom();
  composer.focus();
  chat.auth = { nickname };
  chat.connect();
}

function showWelcome(error = "") {
  inside = false;
  byId("app").hidden = true;
  byId("welcome").hidden = false;
  byId("welcome-error").textContent = error;
  byId("welcome-error").hidden = !error;
  byId("nickname").value = nickname || lastNickname();
  byId("nickname").focus();
  byId("nickname").select();
}

function showApp() {
  byId("welcome").hidden = true;
  byId("app").hidden = false;
  byId("my-nickname").textContent = nickname;
  paintAvatar(byId("my-avatar"), nickname);
}

function changeNickname() {
  sidebar.close();
  forgetCurrentNickname();
  chat.disconnect();
  showWelcome();
}

// Rooms

function goToRoom(name) {
  location.hash = roomAddress(name);
}

function showRoom() {
  room = roomFromAddress();
  inside = false;
  log.clear();
  log.loading = true;
  typingLine.clear();
  outbox.close();
  sidebar.showCurrentRoom(room);
  sidebar.showPeople([nickname], nickname);
  showRoomInTitle(room);
  for (const message of outbox.waitingFor(room)) showOwn(message);
}

async function joinRoom() {
  const name = room;
  let answer;
  try {
    answer = await chat.timeout(10_000).emitWithAck("join", { room: name });
  } catch {
    answer = { ok: false, error: "The server did not answer. Please choose the room again." };
  }
  // Lost meanwhile, and joined again by the next connection; or the person went elsewhere.
  if (!chat.connected || name !== room) return;
  log.loading = false;
  if (!answer.ok) return notify(answer.error);
  sidebar.showPeople(answer.people, nickname);
  if (inside) log.say(`Reconnected. You are back in ${room} as ${nickname}.`);
  inside = true;
  outbox.open(room);
}

// Messages

function send(content) {
  const message = { id: newId(), room, author: nickname, at: new Date(), state: "sending", ...content };
  showOwn(message);
  outbox.send(message);
}

function showOwn(message) {
  const actions = {
    view: showImage,
    retry: (id) => outbox.retry(id),
    discard(id) {
      outbox.discard(id);
      log.remove(id);
    },
  };
  log.add(message, { own: true, actions }).showDelivery(message.state);
}

function showReceived({ id, author, at, text, image, type }) {
  // The history repeats what is on the screen already.
  if (log.has(id)) return;
  const own = author === nickname;
  const message = { id, author, at: new Date(at), text, image: image && new Blob([image], { type }) };
  const view = log.add(message, { own, actions: { view: showImage } });
  if (own) view.showDelivery("delivered");
  typingLine.show(author, false);
  if (inside && !own) countUnread();
}

function showImage(source, alt) {
  Object.assign(byId("viewer-image"), { src: source, alt });
  byId("viewer").showModal();
}

// The connection

function showTransport(transport) {
  byId("transport").textContent = transport ?? "offline";
  byId("connection-state").dataset.state = transport ?? "offline";
  byId("connection-note").textContent = TRANSPORT_NOTES[transport ?? "offline"];
}

function closeConnectionPanel() {
  if (!byId("connection").open) return;
  if (byId("connection").contains(document.activeElement)) byId("connection-state").focus();
  byId("connection").open = false;
}

function notify(text, { stay = false } = {}) {
  clearTimeout(noticeTimer);
  byId("notice").textContent = text;
  byId("notice").hidden = !text;
  if (!stay) noticeTimer = setTimeout(() => notify("", { stay: true }), 8_000);
}

chat.on("connect", () => {
  rememberNickname(nickname);
  notify("", { stay: true });
  joinRoom();
});

chat.on("disconnect", (reason) => {
  outbox.close();
  typingLine.clear();
  if (reason !== "io client disconnect") {
    notify("The connection is lost. Trying again; what you write meanwhile is sent afterwards.", { stay: true });
  }
});

chat.on("connect_error", (error) => {
  // Refused by the server; when it cannot be reached, the client tries again by itself.
  if (!chat.active) showWelcome(error.message);
});

chat.on("message", (message) => {
  if (message.room === room) showReceived(message);
});

chat.on("presence", (news) => {
  if (news.room !== room) return;
  sidebar.showPeople(news.people, nickname);
  if (news.joined) log.say(`${news.joined} joined`);
  if (news.left) {
    log.say(`${news.left} left`);
    typingLine.show(news.left, false);
  }
});

chat.on("typing", (news) => {
  if (news.room === room) typingLine.show(news.nickname, news.typing);
});

status.on("status", ({ online, rooms }) => {
  byId("welcome-status").textContent = ["Nobody is here yet.", "1 person is here."][online] ?? `${online} people are here.`;
  sidebar.showRooms(rooms);
});

status.on("disconnect", () => {
  byId("welcome-status").textContent = "The server cannot be reached. Trying again…";
});

// The page

byId("welcome-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = byId("nickname").value.trim();
  if (name) enter(name);
});
byId("change-nickname").addEventListener("click", changeNickname);
byId("transport-choice").value = transportFromAddress();
byId("transport-choice").addEventListener("change", ({ target }) => {
  history.replaceState(null, "", addressWithTransport(target.value));
  useTransport(target.value);
});
document.addEventListener("click", ({ target }) => byId("connection").contains(target) || closeConnectionPanel());
byId("connection").addEventListener("keydown", ({ key }) => key === "Escape" && closeConnectionPanel());
window.addEventListener("hashchange", () => {
  if (byId("app").hidden || roomFromAddress() === room) return;
  showRoom();
  composer.focus();
  if (chat.connected) joinRoom();
});

status.connect();
if (currentNickname()) enter(currentNickname());
else showWelcome();
