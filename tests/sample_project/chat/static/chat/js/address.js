// The room is part of the address, after the "#": it can be shared, and a reload stays in it.

export const DEFAULT_ROOM = "Lobby";

export function roomAddress(name) {
  return `#${encodeURIComponent(wellFormed(name))}`;
}

export function roomFromAddress() {
  try {
    return decodeURIComponent(location.hash.slice(1)).trim() || DEFAULT_ROOM;
  } catch {
    return DEFAULT_ROOM;
  }
}

// Half of a surrogate pair is no character, and no address can carry it.
function wellFormed(name) {
  return name.replace(/\p{Surrogate}/gu, "\ufffd");
}
