import { render } from "preact";
import { Shell } from "./shell";
import { follow } from "./state";
import "./theme";

follow();
render(<Shell />, document.getElementById("app")!);
