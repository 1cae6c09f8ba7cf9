// Talks to the server at the given address with the client of graphql-ws; prints what it heard as JSON.
import { createClient } from "graphql-ws";
import WebSocket from "ws";

const client = createClient({ url: process.argv[2], webSocketImpl: WebSocket, retryAttempts: 0 });

async function heard(query, most = Infinity) {
  const results = [];
  try {
    for await (const result of client.iterate({ query })) {
      if (results.push(result.data ?? result.errors.map((error) => error.message)) >= most) break;
    }
  } catch (error) {
    results.push(Array.isArray(error) ? error.map((each) => each.message) : String(error));
  }
  return results;
}

console.log(
  JSON.stringify({
    "a subscription to its end": await heard("subscription { count(to: 3) }"),
    "a subscription that the client ends": await heard("subscription { forever }", 2),
    "how often the server saw that": await heard("{ ended }"),
    "a query": await heard("{ hello }"),
    "two at a time": await Promise.all([heard("subscription { count(to: 2) }"), heard("{ hello }")]),
    "a query that is not valid": await heard("{ nothing }"),
  }),
);
await client.dispose();
