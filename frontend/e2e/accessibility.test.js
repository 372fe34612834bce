// axe-core finds nothing serious, in light and dark, in every view, while a track is being made.
import assert from "node:assert/strict";
import axe from "axe-core";
import { journey } from "./journey.js";
import { describeSong, dock, makeButton } from "./steps.js";
import { follow, VIEWS } from "./views.js";

for (const colorScheme of ["light", "dark"]) {
  for (const view of VIEWS) {
    journey(`nothing serious in ${view.name}, ${colorScheme}`, { colorScheme }, async ({ page, server }) => {
      await server.generate({ prompt: "techno", duration: 5 });
      await page.goto("/");
      await view.open(page, server, follow(page));
      await startSong(page);
      await view.open(page, server, follow(page));
      // The server stands still while axe looks: the song could be done sooner.
      server.pause();
      await dock(page).getByRole("progressbar").waitFor();
      assert.deepEqual(await seriousViolations(page), []);
      server.goOn();
      await dock(page).getByRole("button", { name: "Cancel" }).click();
      await dock(page).getByText("Cancelled.").waitFor();
    });
  }
}

/** Start a song long enough to look at while it is made. */
async function startSong(page) {
  await follow(page)("#/");
  await describeSong(page, "techno", 300);
  await makeButton(page).click();
  await dock(page).getByRole("progressbar").waitFor();
}

async function seriousViolations(page) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => window.axe.run());
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${target.join(" ")}: ${failureSummary}`),
    );
}
