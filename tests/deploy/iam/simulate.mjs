// Reads simulations as a JSON list, writes what each would be answered: Allowed, ImplicitlyDenied or ExplicitlyDenied.
import { readFileSync } from "node:fs";
import { runSimulation } from "@cloud-copilot/iam-simulate";

const answers = [];
for (const simulation of JSON.parse(readFileSync(0, "utf-8"))) {
  // Strict: an action, resource or condition key that AWS does not know is an error and not a "no".
  const told = await runSimulation(simulation, { simulationMode: "Strict" });
  answers.push(told.resultType === "error" ? JSON.stringify(told.errors) : told.overallResult);
}
process.stdout.write(JSON.stringify(answers));
