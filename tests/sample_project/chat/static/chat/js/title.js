// The title of the page: the room, and how many messages arrived while nobody looked.

let room = "";
let unread = 0;

export function showRoomInTitle(name) {
  room = name;
  show();
}

export function countUnread() {
  if (!document.hidden) return;
  unread += 1;
  show();
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  unread = 0;
  show();
});

function show() {
  const badge = unread ? `(${unread}) ` : "";
  document.title = room ? `${badge}${room} · django-sio chat` : "django-sio chat";
}
