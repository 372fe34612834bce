import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { reloadWhenReplaced } from "./reload-when-replaced.ts";
import "./style/index.css";
import { restoreTheme } from "./theme/theme.ts";

reloadWhenReplaced();
restoreTheme();
const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
