import { Component, type ReactNode } from "react";
import { ApiError } from "../api/errors.ts";
import { ErrorNotice } from "./notice.tsx";

/** Keeps a view that fails from taking the page with it. Give it a `key` by view, so that another view begins anew. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    const error = new ApiError(0, "This part of the page has failed. Loading the page anew may help.");
    return <ErrorNotice error={error} onRetry={() => this.setState({ failed: false })} />;
  }
}
