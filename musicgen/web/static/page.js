// The page's form: sends it to the API as JSON, shows what came back, and cancels by hanging up.
"use strict";

const byId = (id) => document.getElementById(id);
const form = byId("request");
const NUMBERS = ["duration", "tempo", "seed"];
let connection = null;

function readForm() {
  const filledIn = [...new FormData(form)].filter(([, text]) => text.trim() !== "");
  return Object.fromEntries(filledIn.map(([name, text]) => [name, NUMBERS.includes(name) ? Number(text) : text]));
}

function listItems(list, texts) {
  list.replaceChildren(...texts.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
}

function showBusy(busy) {
  byId("generate").disabled = busy;
  byId("cancel").hidden = !busy;
}

function showTrack(track) {
  byId("title").textContent = track.title;
  byId("player").src = track.audio_url;
  const facts = [track.tempo && `${Math.round(track.tempo)} bpm`, track.key, track.time_signature, `seed ${track.seed}`];
  byId("facts").textContent = facts.filter(Boolean).join(" · ");
  byId("downloads").replaceChildren(...Object.entries(track.formats).map(([format, href]) =>
    Object.assign(document.createElement("a"), { href, download: "", textContent: format.toUpperCase() })));
  listItems(byId("notes"), track.notes);
  byId("track").hidden = false;
}

function showError(error) {
  const fields = Object.entries(error.errors);
  const texts = fields.flatMap(([field, messages]) => messages.map((message) => `${field}: ${message}`));
  listItems(byId("mistakes"), texts.length ? texts : [error.message]);
}

async function generate() {
  connection = new AbortController();
  const response = await fetch(form.action, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(readForm()),
    signal: connection.signal,
  });
  const answer = await response.json();
  if (response.ok) showTrack(answer);
  else showError(answer);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  listItems(byId("mistakes"), []);
  showBusy(true);
  const started = performance.now();
  const showElapsed = () => {
    byId("state").textContent = `Generating, ${Math.round((performance.now() - started) / 1000)} s …`;
  };
  showElapsed();
  const clock = setInterval(showElapsed, 1000);
  try {
    await generate();
    byId("state").textContent = "";
  } catch (error) {
    byId("state").textContent = error.name === "AbortError" ? "Cancelled." : "The server could not be reached.";
  } finally {
    clearInterval(clock);
    showBusy(false);
  }
});

byId("cancel").addEventListener("click", () => connection.abort());
