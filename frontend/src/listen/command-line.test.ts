import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { asCli, asCurl, shellQuote } from "./command-line.ts";

const NASTY = `it's "loud" $HOME \`date\` \\n !! 100% *\nzweite Zeile; 雨の夜 🎷 #x & <y>`;

/** What a program gets that a shell starts: its arguments and its standard input. */
function byShell(command: string, program: string): { args: string[]; input: string } {
  const report = `${program}() { for a in "$@"; do printf '%s\\0' "$a"; done; printf '\\1'; [ "$STDIN" ] && cat; true; }`;
  const env = { ...process.env, STDIN: command.includes("<<") ? "1" : "" };
  const said = execFileSync("sh", ["-c", `${report}\n${command}`], { encoding: "utf-8", env });
  const [args = "", input = ""] = said.split("\u0001");
  return { args: args.split("\0").slice(0, -1), input };
}

it("quotes only what a shell would take for something else", () => {
  expect(["7", "a-b.c/d:8", "", "two words", "it's"].map(shellQuote)).toEqual([
    "7",
    "a-b.c/d:8",
    "''",
    "'two words'",
    "'it'\\''s'",
  ]);
});

it("gives curl the request as it is", () => {
  const request = { prompt: NASTY, seed: 7, duration: 30, plan: { sections: [{ name: "it's" }] } };
  const { args } = byShell(asCurl(request, "http://localhost:8000"), "curl");
  expect(args.slice(0, -1)).toEqual([
    "-s",
    "http://localhost:8000/api/generate",
    "-H",
    "Content-Type: application/json",
    "-d",
  ]);
  expect(JSON.parse(args.at(-1) ?? "")).toEqual(request);
});

it("gives the command line the request as it is", () => {
  const request = {
    prompt: NASTY,
    seed: 7,
    key: "D minor",
    time_signature: "3/4",
    stems: true,
    title: "-x",
    tempo: null,
  };
  const { args } = byShell(asCli(request), "flask");
  const options = ["--seed=7", "--key=D minor", "--time-signature=3/4", "--stems", "--title=-x"];
  expect(args).toEqual(["generate", ...options, NASTY]);
});

it("keeps a prompt from being taken for an option", () => {
  expect(byShell(asCli({ prompt: "--help", seed: 7 }), "flask").args).toEqual(["generate", "--seed=7", "--", "--help"]);
});

it("hands a plan over by standard input", () => {
  const plan = { tempo: 90, title: "$x 'y' \\" };
  const { args, input } = byShell(asCli({ prompt: "rain", plan }), "flask");
  expect(args).toEqual(["generate", "--plan", "-", "rain"]);
  expect(JSON.parse(input)).toEqual(plan);
});
