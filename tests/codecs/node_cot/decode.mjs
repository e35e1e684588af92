// Reads lines of JSON {format, data (base64)} and writes for each what node-cot says: {raw, geojson} or {error}.
import { createInterface } from "node:readline";
import { CoTParser } from "@tak-ps/node-cot";

function payload(frame) {
  let at = 1;
  while (frame[at] & 0x80) at += 1;
  return frame.subarray(at + 1);
}

for await (const line of createInterface({ input: process.stdin })) {
  const { format, data } = JSON.parse(line);
  const bytes = Buffer.from(data, "base64");
  try {
    const cot =
      format === "tak-v1"
        ? await CoTParser.from_proto(payload(bytes))
        : await CoTParser.from_xml(bytes.toString("utf8"));
    const geojson = await CoTParser.to_geojson(cot);
    console.log(JSON.stringify({ raw: cot.raw.event, geojson }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error.stack ?? error) }));
  }
}
