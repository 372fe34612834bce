// A request as a line for a POSIX shell: by curl, and by our own command.
import type { GenerationRequest } from "../api/types.ts";

/** What a shell takes as it is. */
const PLAIN = /^[\w./:@%+=-]+$/;

export function shellQuote(text: string): string {
  return PLAIN.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

export function asCurl(request: GenerationRequest, origin: string): string {
  return [
    `curl -s ${shellQuote(`${origin}/api/generate`)}`,
    "-H 'Content-Type: application/json'",
    `-d ${shellQuote(JSON.stringify(request))}`,
  ].join(" \\\n  ");
}

/** A plan comes by standard input. */
export function asCli({ prompt, plan, ...fields }: GenerationRequest): string {
  const options = Object.entries(fields).flatMap(([name, value]) => optionOf(name, value));
  const words = prompt ? [prompt.startsWith("-") ? `-- ${shellQuote(prompt)}` : shellQuote(prompt)] : [];
  if (plan) options.push("--plan -");
  const command = ["flask generate", ...options, ...words].join(" ");
  return plan ? `${command} <<'PLAN'\n${JSON.stringify(plan)}\nPLAN` : command;
}

function optionOf(name: string, value: unknown): string[] {
  const option = `--${name.replaceAll("_", "-")}`;
  if (value === true) return [option];
  // "--option=value", so that a value may begin with a dash.
  return typeof value === "string" || typeof value === "number" ? [`${option}=${shellQuote(String(value))}`] : [];
}
