// A real gunicorn with our settings, on a free port, with a library of its own in a folder that goes away with it.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");
const PYTHON = process.env.PYTHON ?? join(ROOT, ".venv/bin/python");

/** Start the server; it is gone, with its workers and files, after `stop()` and whenever this process ends. */
export async function startServer() {
  const folder = mkdtempSync(join(tmpdir(), "musicgen-e2e-"));
  const program = startProgram(
    PYTHON,
    ["-m", "gunicorn", "--config", "python:musicgen.web.gunicorn_settings", "--bind", "127.0.0.1:0", "wsgi:app"],
    {
      cwd: ROOT,
      env: {
        ...process.env,
        OUTPUT_DIR: join(folder, "output"),
        DATABASE_URL: `sqlite:///${folder}/musicgen.sqlite`,
        MUSICGEN_MODEL: "composer",
        MUSICGEN_DEVICE: "cpu",
        MIN_FREE_DISK_MB: "0",
        WEB_CONCURRENCY: "1",
      },
      onEnd: () => rmSync(folder, { recursive: true, force: true }),
    },
  );
  const [, url] = await program.line(/Listening at: (http:\S+)/);

  const ask = async (path, init) => {
    const answer = await fetch(url + path, init);
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  return {
    url,
    stop: program.stop,
    /** Stand still, so that what lasts a moment can be looked at; until `goOn()`. */
    pause: () => program.signal("SIGSTOP"),
    goOn: () => program.signal("SIGCONT"),
    get: (path) => ask(path),
    /** Make a track without the page. */
    generate: (request) =>
      ask("/api/generate", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(request),
      }),
  };
}

/** Start a program that serves, in a process group of its own, so that it ends with all that it starts. */
export function startProgram(command, args, { cwd, env, onEnd = () => {} }) {
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const listeners = new Set();
  let log = "";
  const hear = (text) => {
    log += text;
    for (const listener of listeners) listener();
  };
  child.stdout.setEncoding("utf8").on("data", hear);
  child.stderr.setEncoding("utf8").on("data", hear);
  const ended = new Promise((resolve) => {
    child.on("error", (error) => resolve(hear(`${command}: ${error.message}`)));
    child.on("exit", resolve);
  });

  const signal = (name) => {
    try {
      if (child.pid) process.kill(-child.pid, name);
    } catch (error) {
      if (error.code !== "ESRCH") throw error;
    }
  };
  const kill = () => {
    signal("SIGKILL");
    onEnd();
  };
  const exit = () => process.exit(1);
  process.on("exit", kill);
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, exit);
  return {
    signal,
    /** Wait for a line of the log. */
    line: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const match = log.match(pattern);
          if (match) resolve(match);
        };
        listeners.add(look);
        look();
        ended.then(() => reject(new Error(`${command} has ended:\n${log}`)));
      }),
    stop: async () => {
      kill();
      await ended;
      onEnd();
      process.off("exit", kill);
      for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.off(name, exit);
    },
  };
}
