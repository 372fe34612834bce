// From words to a track: the form, the progress, mistakes, and the way out.
import assert from "node:assert/strict";
import { journey } from "./journey.js";
import { arriveAtTrack, describeSong, dock, durationField, makeButton, promptField, until } from "./steps.js";

journey("a song is made while its progress is told, and shown when it is done", {}, async ({ page, server }) => {
  await page.goto("/");
  await describeSong(page, "calm piano in D minor, 90 bpm", 10);
  await page.getByRole("heading", { name: "What the engine understood" }).waitFor();
  await page.evaluate(() => {
    window.seen = { fractions: [], stages: [] };
    new MutationObserver(() => {
      const progress = document.querySelector(".dock progress");
      if (!progress) return;
      window.seen.fractions.push(progress.value);
      window.seen.stages.push(document.querySelector(".dock strong").textContent);
    }).observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
  });
  await makeButton(page).click();
  const track = await server.get(`/api/track/${await arriveAtTrack(page)}`);
  assert.equal(track.status, "done");
  assert.equal(track.prompt, "calm piano in D minor, 90 bpm");
  assert.equal(await page.getByRole("heading", { level: 1 }).textContent(), track.title);

  const { fractions, stages } = await page.evaluate(() => window.seen);
  assert.deepEqual(
    fractions,
    fractions.toSorted((a, b) => a - b),
    "progress never goes back",
  );
  assert.ok(new Set(fractions).size > 2, `progress moves: ${fractions}`);
  assert.ok(stages.includes("Composing"), `stages are told: ${[...new Set(stages)]}`);
});

journey("a mistake is told at its field, and mended there", { refusals: [422] }, async ({ page }) => {
  await page.goto("/");
  await describeSong(page, "rain", 2);
  await makeButton(page).click();
  await dock(page).getByText("Nothing was made yet. Look again at: duration.").waitFor();
  await until(page, () => document.activeElement?.name === "duration");
  const mistake = page.getByRole("listitem").filter({ hasText: "5 to 300" });
  await mistake.waitFor();
  assert.equal(await durationField(page).getAttribute("aria-invalid"), "true");
  const described = await durationField(page).getAttribute("aria-describedby");
  assert.ok(
    await page
      .locator(`[id="${described.split(" ")[0]}"]`)
      .getByText("5 to 300")
      .isVisible(),
  );

  await durationField(page).fill("5");
  await mistake.waitFor({ state: "detached" });
  await makeButton(page).click();
  await arriveAtTrack(page);
});

journey("a prompt that is missing is asked for", { refusals: [422] }, async ({ page }) => {
  await page.goto("/");
  await makeButton(page).click();
  await until(page, () => document.activeElement?.name === "prompt" && document.activeElement.ariaInvalid === "true");
});

journey("a generation is cancelled, and the server stops it", {}, async ({ page, server }) => {
  await page.goto("/");
  await describeSong(page, "metal, fast, in E minor", 300);
  await makeButton(page).click();
  await until(page, () => document.querySelector(".dock progress")?.value > 0);
  await dock(page).getByRole("button", { name: "Cancel" }).click();
  await dock(page).getByText("Cancelled.").waitFor();
  assert.ok(page.url().endsWith("/"), "the form is still there");
  assert.equal(await promptField(page).inputValue(), "metal, fast, in E minor");
  await until(page, async () => {
    const tracks = await (await fetch("/api/tracks")).json();
    return tracks.some(({ prompt, status }) => prompt.startsWith("metal") && status === "cancelled");
  });
  await dock(page).getByRole("button", { name: "Close" }).click();
  await dock(page).waitFor({ state: "detached" });

  await describeSong(page, "metal, fast, in E minor", 5);
  await makeButton(page).click();
  const track = await server.get(`/api/track/${await arriveAtTrack(page)}`);
  assert.equal(track.status, "done");
});

journey("a song is made with the keyboard alone", {}, async ({ page }) => {
  await page.goto("/");
  await page.getByRole("radio", { name: "composer" }).waitFor();
  await tabTo(page, "What should it sound like?");
  await page.keyboard.type("waltz");
  await tabTo(page, "calm");
  await page.keyboard.press("Space");
  assert.equal(await promptField(page).inputValue(), "waltz, calm");
  await tabTo(page, "Duration, seconds");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("5");
  await tabTo(page, "Seed");
  await page.keyboard.type("7");
  await tabTo(page, "More options");
  await page.keyboard.press("Enter");
  await tabTo(page, "Tempo, bpm");
  await page.keyboard.type("150");
  await tabTo(page, "Make the song");
  await page.keyboard.press("Enter");
  await arriveAtTrack(page);
  assert.equal(await page.evaluate(() => document.activeElement.tagName), "MAIN", "the focus goes into the new view");
  await page.getByText("150").first().waitFor();
});

/** Press Tab until the control of that name has the focus; every stop on the way must have a name and be seen. */
async function tabTo(page, name) {
  for (let stops = 0; stops < 100; stops += 1) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => {
      const element = document.activeElement;
      const label = element.labels?.[0]?.textContent ?? element.ariaLabel ?? element.textContent;
      const { outlineStyle, boxShadow } = getComputedStyle(element);
      const { top, bottom, width } = element.getBoundingClientRect();
      const isInView = width > 0 && bottom > 0 && top < innerHeight;
      return { label: label.trim(), isShown: (outlineStyle !== "none" || boxShadow !== "none") && isInView };
    });
    assert.ok(stop.label, "every stop has a name");
    assert.ok(stop.isShown, `the focus is seen at “${stop.label}”`);
    if (stop.label === name) return;
  }
  assert.fail(`Tab never comes to “${name}”`);
}
