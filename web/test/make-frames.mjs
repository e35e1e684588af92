/** Writes web/test/frames.json: node web/test/make-frames.mjs. The Python encoder must agree. */
import { writeFileSync } from 'node:fs'
import { encodeMetas, encodePositions, encodeRemove, encodeSignal } from '../dev/frames.mjs'

const BASE_MS = 1_795_000_000_000
const seen = (age_ms) => BASE_MS - age_ms
const track = (h, lat, lon, alt, speed, course, age_ms) => ({ h, lat, lon, alt, speed, course, seen_ms: seen(age_ms) })
const tell = ({ h, lat, lon, alt, speed, course, seen_ms }) => ({
  handle: h, lat_deg: lat, lon_deg: lon, alt_m: alt, speed_mps: speed, course_deg: course, age_ms: BASE_MS - seen_ms,
})
const one = [track(7, 42.8, 77.5, 2184, 1.2, 47.25, 400)]
const three = [
  track(0, -33.8688197, -70.6693265, -12, 0, 0, 0),
  track(1, 89.9999999, 179.9999999, null, null, null, 6_553_400),
  track(65_536, 0, -180, 8848, 250.5, 359.99, 100_000_000),
]
const metas = [
  { h: 7, id: '0190a000-0000-7000-8000-000000000007', name: 'PATROL 1 – Ж <b>', sidc: '13031000121211030000', type: 'a-f-G-U-C-I', source: 'TLS 8089', observed_at_ms: BASE_MS - 400, stale_at_ms: BASE_MS + 299_600, affiliation: 'friend', category: 'unit', emergency: '911' },
  { h: 8, id: '0190a000-0000-7000-8000-000000000008', name: 'PL ARES', sidc: '13032500001402000000', type: 'u-d-f', source: 'page', observed_at_ms: BASE_MS, stale_at_ms: BASE_MS + 86_400_000, affiliation: 'friend', category: 'drawing', geometry: { type: 'LineString', coordinates: [[77, 42.5], [78, 42.75]] } },
]
const vectors = [
  { name: 'one position', kind: 1, mask: 0x7f, sequence: 1, count: 1, base_time_ms: BASE_MS, positions: one.map(tell), hex: encodePositions(one, 1, BASE_MS) },
  { name: 'three positions with unknowns, limits and an age beyond the field', kind: 1, mask: 0x7f, sequence: 4294967295, count: 3, base_time_ms: BASE_MS, positions: three.map(tell), hex: encodePositions(three, 4294967295, BASE_MS) },
  { name: 'no positions', kind: 1, mask: 0x7f, sequence: 2, count: 0, base_time_ms: BASE_MS, positions: [], hex: encodePositions([], 2, BASE_MS) },
  { name: 'two metas, one with a geometry', kind: 2, mask: 0, sequence: 3, count: 2, base_time_ms: BASE_MS, metas, hex: encodeMetas(metas, 3, BASE_MS) },
  { name: 'removal of two handles', kind: 3, mask: 0, sequence: 4, count: 2, base_time_ms: BASE_MS, handles: [7, 65_536], hex: encodeRemove([7, 65_536], 4, BASE_MS) },
  { name: 'a snapshot begins', kind: 4, mask: 0, sequence: 5, count: 0, base_time_ms: BASE_MS, hex: encodeSignal(4, 5, BASE_MS) },
  { name: 'heartbeat', kind: 5, mask: 0, sequence: 6, count: 0, base_time_ms: BASE_MS, hex: encodeSignal(5, 6, BASE_MS) },
].map((vector) => ({ ...vector, hex: vector.hex.toString('hex') }))

writeFileSync(new URL('./frames.json', import.meta.url), `${JSON.stringify({ about: 'Binary frames of the live stream. An encoder must write hex from the other fields; a decoder must read them back. age_ms beyond 6553.4 s is written as 65535. Kind 2 bodies may order their JSON keys otherwise: compare the header and the parsed JSON..', vectors }, null, 1)}\n`)
