// Keeps a mistake in one part of the page from taking the others with it: what is being written stays.
import { Component, type ErrorInfo, type ReactNode } from "react";
import { LoadFailed } from "./basics";

type Props = { what: string; children: ReactNode };
type State = { hasFailed: boolean };

export class Fence extends Component<Props, State> {
  override state: State = { hasFailed: false };

  static getDerivedStateFromError(): State {
    return { hasFailed: true };
  }

  override componentDidCatch(error: unknown, info: ErrorInfo) {
    console.error("a part of the page failed", error, info.componentStack);
  }

  override render() {
    if (!this.state.hasFailed) return this.props.children;
    const why = "Something went wrong in this part of the page. Your drafts are kept.";
    return <LoadFailed what={this.props.what} why={why} onRetry={() => this.setState({ hasFailed: false })} />;
  }
}
