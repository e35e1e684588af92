/**
 * A stand-in for the node: speaks the page's contract with invented moving tracks.
 *
 *   npm run dev                      page and stub on http://127.0.0.1:8090/
 *   PORT=0 TRACKS=10000 npm run dev  free port, 10,000 more tracks
 *   PAGE=/tmp/page npm run dev       a page that was built elsewhere
 *
 * It serves the built page with the node's own Content-Security-Policy, so that what breaks there
 * breaks here. `POST /stub/drop?ms=8000` cuts every stream and refuses new ones for that long;
 * `POST /stub/login?on=1` makes the interface answer 401. Nothing here is for production.
 */
import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { WebSocketServer } from 'ws'
import { encodeMetas, encodePositions, encodeRemove, encodeSignal } from './frames.mjs'

const ROOT = process.env.PAGE ?? fileURLToPath(new URL('../../src/aquila/static', import.meta.url))
const PORT = Number(process.env.PORT ?? 8090)
const EXTRA = Number(process.env.TRACKS ?? 0)
const CALM = process.env.CALM === '1'
const CSP =
  "default-src 'self'; worker-src 'self' blob:; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'"
const TYPES = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css',
  '.svg': 'image/svg+xml', '.woff2': 'font/woff2', '.md': 'text/plain; charset=utf-8',
}

// Seeded, so that two runs show the same picture.
let seed = 42
const chance = () => ((seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648)

const FRIEND = 'friend'
const started_ms = Date.now()
const tracks = []
function add(name, lat, lon, sidc, more = {}) {
  const h = tracks.length
  tracks.push({
    h, id: `0190a${String(h).padStart(3, '0')}-0000-7000-8000-000000000000`, name, lat, lon, sidc,
    type: 'a-f-G-U-C', source: 'TCP 8087', affiliation: FRIEND, category: 'unit', alt: 2100,
    speed: 0, course: 0, seen_ms: started_ms, valid_ms: 300_000, ...more,
  })
  return tracks[h]
}
const unit = (entity, echelon) => `13031000${echelon}${entity}0000`
function scenario() {
  add('MN BDE HQ', 43.05, 76.95, unit('121100', '18'), { alt: 1250 })
  add('1 MTN BN', 42.98, 77.15, unit('121103', '16'), { alt: 1900 })
  add('2 MTN BN', 42.86, 77.62, unit('121103', '16'), { alt: 2300 })
  add('KAZ PK BN', 43.12, 77.55, unit('121100', '16'), { alt: 1700 })
  for (let i = 1; i <= 12; i++) {
    add(`PATROL ${i}`, 42.72 + chance() * 0.42, 76.85 + chance() * 1.2, unit('121103', '12'), {
      speed: 0.6 + chance(), course: chance() * 360, alt: 2200 + Math.round(chance() * 1400),
      source: i % 3 ? 'ATAK · TLS 8089' : 'ATAK · TCP 8087', type: 'a-f-G-U-C-I',
    })
  }
  for (let i = 1; i <= 6; i++) {
    add(`RECCE ${i}`, 42.9 + chance() * 0.5, 76.7 + chance() * 1.6, '13031500001201000000', {
      category: 'platform', speed: 9 + chance() * 8, course: chance() * 360, alt: 1400,
      source: 'WinTAK · TLS 8089', type: 'a-f-G-E-V',
    })
  }
  add('DUSTOFF 11', 42.95, 77.3, '13030100001102000000', { category: 'platform', speed: 58, course: 70, alt: 3400, type: 'a-f-A-M-H', source: 'ATAK · TLS 8089' })
  add('EAGLE 22', 42.8, 77.8, '13030100001102000000', { category: 'platform', speed: 62, course: 250, alt: 3650, type: 'a-f-A-M-H', source: 'ATAK · TLS 8089' })
  add('ROLE 2', 43.02, 77.02, unit('161300', '15'), { alt: 1300, type: 'a-f-G-U-C-V-M' })
  add('LOST PATROL', 42.74, 77.38, unit('121103', '12'), { speed: 0, alt: 3350, emergency: CALM ? undefined : 'Personnel missing', seen_ms: started_ms - 1_560_000, valid_ms: 600_000 })
  add('CONVOY B', 43.2, 77.9, '13031000131634000000', { seen_ms: started_ms - 260_000, valid_ms: 1_200_000, speed: 11, course: 190, still: true })
  add('<img src=x onerror=alert(1)>', 43.16, 76.75, '13011000000000000000', { affiliation: 'unknown', category: 'track', type: 'a-u-G' })
  add('LZ EAGLE', 42.83, 77.42, '13032500001318000000', { category: 'marker', valid_ms: 86_400_000, type: 'b-m-p-w', source: 'page', still: true })
  add('ROCKFALL', 42.9, 76.88, '13040000000000000000', { category: 'marker', affiliation: 'neutral', valid_ms: 86_400_000, type: 'b-m-p-s-m', source: 'page', still: true })
  add('HERDERS', 42.78, 77.05, '13041100001100000000', { category: 'track', affiliation: 'neutral', speed: 0.8, course: 20, type: 'a-n-G', alt: 2700 })
  add('AO NORD', 43.0, 77.0, '13032500001201000000', { category: 'drawing', valid_ms: 86_400_000, type: 'u-d-f', source: 'ATAK · PATROL 1', still: true,
    geometry: { type: 'Polygon', coordinates: [[[76.8, 43.08], [77.35, 43.12], [77.5, 42.9], [77.1, 42.78], [76.78, 42.9], [76.8, 43.08]]] } })
  add('PL GHIACCIO', 42.7, 77.7, '13032500001402000000', { category: 'drawing', valid_ms: 86_400_000, type: 'u-d-f', source: 'page', still: true,
    geometry: { type: 'LineString', coordinates: [[76.7, 42.68], [77.2, 42.74], [77.7, 42.7], [78.1, 42.82]] } })
  for (let i = 0; i < EXTRA; i++) {
    const affiliation = ['friend', 'hostile', 'neutral', 'unknown'][i % 4]
    add(`TRK ${1000 + i}`, 40 + chance() * 5, 73 + chance() * 9, `130${{ friend: 3, hostile: 6, neutral: 4, unknown: 1 }[affiliation]}1000001211000000`, {
      affiliation, category: 'track', speed: chance() * 20, course: chance() * 360,
    })
  }
}
scenario()

let sequence_of_entries = 0
const entries = []
const entry = (kind, author_name, body, summary, ago_ms = 0) => {
  const at = Date.now() - ago_ms
  sequence_of_entries++
  const one = {
    id: `0190e${String(sequence_of_entries).padStart(4, '0')}`, cursor: String(sequence_of_entries), kind, body, author: author_name === 'Watch officer' ? 'p-1' : `p-${author_name}`,
    author_name, happened_at_ms: at, received_at_ms: at, label: { policy: 'MISSION', classification: 'UNCLASSIFIED' }, context: 'EXERCISE:DEMO', node: 'n-1', seq: sequence_of_entries, summary,
  }
  entries.push(one)
  return one
}
entry('act', 'node', {}, 'Node ALPHA started, epoch 1', 3_600_000)
entry('act', 'node', {}, 'Link PATROL1 up over TLS 8089', 3_500_000)
entry('note', 'Watch officer', { room: 'log', text: 'Handover complete. Weather: wind W 25 kt above 3000 m, visibility 8 km.' }, null, 2_400_000)
entry('note', 'PATROL 1', { room: 'All Chat Rooms', text: 'OP established, nothing to report.' }, null, 1_900_000)
entry('report', 'PATROL 3', {}, 'SPOTREP: rockfall blocks track at 43T FJ 4127 5210', 1_500_000)
entry('note', 'Watch officer', { room: 'All Chat Rooms', text: 'All patrols: radio check at 1500Z.' }, null, 900_000)
entry('note', 'PATROL 3', { room: 'ALPHA COY', text: 'Moving to alternate route <b>EAST</b>, ETA 40 min.', author_name: 'PATROL 3' }, null, 700_000)
entry('note', 'DUSTOFF 11', { room: 'All Chat Rooms', text: 'Airborne, two crew, fuel 1+50.' }, null, 300_000)
entry('report', 'LOST PATROL', {}, 'Emergency: personnel missing', 240_000)
entry('note', 'Watch officer', { room: 'log', text: 'LOST PATROL overdue since 1405Z. DUSTOFF 11 asked to search along PL GHIACCIO.' }, null, 120_000)

const LINKS = () => [
  { id: 'l1', name: 'PATROL1', transport: 'tls 8089', peer: '10.20.0.31:52110', principal: 'device PATROL1', state: 'up', since_ms: started_ms - 3_500_000, in_count: 3512, out_count: 48110, in_rate: 1, refused_count: 0, backlog_bytes: 0, error_count: 0, uid: 'ANDROID-1', callsign: 'PATROL 1' },
  { id: 'l2', name: 'PATROL3', transport: 'tls 8089', peer: '10.20.0.33:40122', principal: 'device PATROL3', state: 'slow', since_ms: started_ms - 900_000, in_count: 801, out_count: 20110, in_rate: 0.2, refused_count: 12, backlog_bytes: 184_320, error_count: 0, uid: 'ANDROID-3', callsign: 'PATROL 3' },
  { id: 'l3', name: 'LOST', transport: 'tls 8089', peer: '10.20.0.38:40002', principal: 'device LOST', state: 'down', since_ms: started_ms - 1_500_000, in_count: 120, out_count: 3110, in_rate: 0, refused_count: 0, backlog_bytes: 0, error_count: 3, uid: 'ANDROID-9', callsign: 'LOST PATROL' },
  { id: 'l4', name: 'demo', transport: 'tcp 8087', peer: '127.0.0.1:51820', principal: 'listener tcp', state: 'up', since_ms: started_ms, in_count: 90111, out_count: 120, in_rate: 21.5, refused_count: 0, backlog_bytes: 0, error_count: 0, callsign: null },
]

const meta = (t) => ({
  h: t.h, id: t.id, name: t.name, sidc: t.sidc, type: t.type, source: t.source,
  observed_at_ms: t.seen_ms, stale_at_ms: t.seen_ms + t.valid_ms, affiliation: t.affiliation,
  category: t.category, ...(t.emergency ? { emergency: t.emergency } : {}), ...(t.geometry ? { geometry: t.geometry } : {}),
})
const live = () => tracks.filter((t) => !t.gone)
const streams = new Set()
let refuse_until = 0
let need_login = false

function send(stream, frame) {
  stream.socket.send(frame)
  stream.sequence++
}
function snapshot(stream) {
  const now = Date.now()
  send(stream, encodeSignal(4, stream.sequence, now))
  // So many a frame as the node sends.
  const metas = live().map(meta)
  for (let from = 0; from < metas.length; from += 2000) send(stream, encodeMetas(metas.slice(from, from + 2000), stream.sequence, now))
  send(stream, encodePositions(live(), stream.sequence, now))
}
function say(stream, message) {
  stream.socket.send(JSON.stringify(message))
}
const BANNER = { classification: 'UNCLASSIFIED', text: 'UNCLASSIFIED REL MISSION', exercise: true }
function publish(one) {
  for (const stream of streams) say(stream, { t: 'entry', entry: one, cursor: one.cursor })
  return one
}

setInterval(() => {
  const now = Date.now()
  for (const t of live()) {
    if (!t.speed || t.still || t.emergency) continue
    t.course = (t.course + (chance() - 0.5) * 12 + 360) % 360
    const step = t.speed / 111_320
    t.lat += step * Math.cos((t.course * Math.PI) / 180)
    t.lon += (step * Math.sin((t.course * Math.PI) / 180)) / Math.cos((t.lat * Math.PI) / 180)
  }
  for (const t of live()) if (!t.still && !t.emergency) t.seen_ms = now - Math.round(chance() * 900)
  const moved = live().filter((t) => !t.still && !t.emergency)
  const stale = live().filter((t) => now > t.seen_ms + t.valid_ms).length
  for (const stream of streams) {
    send(stream, encodePositions(moved, stream.sequence, now))
    say(stream, { t: 'counts', entities: live().length, fresh: live().length - stale, stale, links: 3 })
  }
}, 1000)

async function body(request) {
  let text = ''
  for await (const part of request) text += part
  return text ? JSON.parse(text) : {}
}
function json(response, value, status = 200) {
  response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' })
  response.end(JSON.stringify(value))
}
const refuse = (response, status, reason, remedy) =>
  json(response, { error: { code: `e${status}`, reason, do: remedy } }, status)

/** Two places of each of as many as a page draws the trails of. */
function trails(limit) {
  const row = (t, seconds, moved_deg) => ({ entity: t.id, at_ms: Date.now() - seconds * 1000, lat_deg: t.lat - moved_deg, lon_deg: t.lon, hae_m: null, course_deg: null, speed_mps: null })
  return live().slice(0, Math.floor((limit - 1) / 2)).flatMap((t) => [row(t, 300, 0.05), row(t, 0, 0)])
}

async function interfaceCall(request, response, url) {
  const path = url.pathname.slice('/api/v1'.length)
  if (need_login) return refuse(response, 401, 'no session', 'open the one-time link')
  if (request.method !== 'GET' && request.headers['x-aquila'] !== 'page') return refuse(response, 403, 'header X-Aquila is missing', 'send X-Aquila: page')
  if (path === '/me') {
    return json(response, { principal: { id: 'p-1', name: 'Watch officer', roles: ['operator'], nation: 'ITA' }, node: { id: 'n-1', name: 'ALPHA' }, context: 'EXERCISE:DEMO', banner: BANNER, server_time_ms: Date.now() })
  }
  if (path === '/entries') return json(response, entries.slice(-Number(url.searchParams.get('limit') ?? 100)))
  if (path === '/tracks') return json(response, trails(Number(url.searchParams.get('limit') ?? 100)))
  if (path === '/links') return json(response, LINKS())
  if (path === '/packages') return json(response, [])
  if (path === '/entities') return json(response, live().filter((t) => t.affiliation === FRIEND).map((t) => ({ id: t.id, team: t.category === 'unit' ? 'Cyan' : null })))
  const found = /^\/entities\/(.+)$/.exec(path)
  if (found) {
    const t = live().find((one) => one.id === decodeURIComponent(found[1]))
    if (!t) return refuse(response, 404, `no entity ${found[1]}`, 'it may have been deleted')
    if (request.method === 'DELETE') {
      t.gone = true
      for (const stream of streams) send(stream, encodeRemove([t.h], stream.sequence, Date.now()))
      publish(entry('removal', 'Watch officer', {}, `${t.name} deleted`))
      return json(response, {}, 200)
    }
    const position = { lat_deg: t.lat, lon_deg: t.lon, hae_m: t.alt, ce_m: 8 }
    const iso = (ago) => new Date(t.seen_ms - ago).toISOString()
    return json(response, {
      ...meta(t), aliases: [{ scheme: 'cot.uid', value: `ANDROID-${t.h}` }], position, motion: { course_deg: t.course, speed_mps: t.speed },
      observed_at: iso(0), stale_at: new Date(t.seen_ms + t.valid_ms).toISOString(), label: { policy: 'MISSION', classification: 'UNCLASSIFIED' },
      team: t.category === 'unit' ? 'Cyan' : null, role: t.category === 'unit' ? 'Team Member' : null, battery_pct: t.category === 'unit' ? 71 : null,
      remarks: t.name === 'LOST PATROL' ? 'Four persons, last radio contact 1352Z, moving to the saddle.' : null,
      sources: [{ source: t.source, observed_at: iso(0), position, how: 'm-g' }, { source: 'TCP 8087', observed_at: iso(61_000), position, how: 'm-g' }, { source: 'Voice, PATROL 2', observed_at: iso(900_000), position, how: 'h-e' }],
    })
  }
  if (request.method === 'POST') {
    const told = await body(request)
    if (path === '/notes') return json(response, publish(entry('note', 'Watch officer', { room: 'log', text: told.text })), 201)
    if (path === '/chat') return json(response, publish(entry('note', 'Watch officer', { room: told.room, text: told.text, to: (told.to ?? []).map((value) => ({ scheme: 'callsign', value })) })), 201)
    if (path === '/markers') {
      if (told.name === 'REFUSE') return refuse(response, 422, 'name "REFUSE" is not allowed here', 'Choose another name.')
      const affiliation = { 3: 'friend', 6: 'hostile', 4: 'neutral' }[told.sidc?.[3]] ?? 'unknown'
      const t = add(told.name, told.lat_deg, told.lon_deg, told.sidc ?? '13032500001313000000', { category: 'marker', affiliation, type: told.type ?? 'b-m-p-s-m', source: 'page', still: true, valid_ms: 86_400_000, seen_ms: Date.now() })
      for (const stream of streams) {
        send(stream, encodeMetas([meta(t)], stream.sequence, Date.now()))
        send(stream, encodePositions([t], stream.sequence, Date.now()))
      }
      publish(entry('report', 'Watch officer', {}, `Marker ${told.name} placed`))
      return json(response, { entity: t.id, entry: entries.at(-1).id }, 201)
    }
  }
  return refuse(response, 404, `no route ${request.method} ${path}`, 'see the contract')
}

function file(request, response, path) {
  const wanted = normalize(join(ROOT, path === '/' ? 'index.html' : path))
  if (!wanted.startsWith(ROOT) || !existsSync(wanted) || statSync(wanted).isDirectory()) return refuse(response, 404, `no file ${path}`, 'npm run build')
  const size = statSync(wanted).size
  const head = { 'Content-Type': TYPES[extname(wanted)] ?? 'application/octet-stream', 'Content-Security-Policy': CSP, 'Accept-Ranges': 'bytes', 'X-Content-Type-Options': 'nosniff' }
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '')
  const [from, to] = range ? [Number(range[1]), Math.min(size - 1, Number(range[2] || size - 1))] : [0, size - 1]
  if (range) head['Content-Range'] = `bytes ${from}-${to}/${size}`
  response.writeHead(range ? 206 : 200, { ...head, 'Content-Length': to - from + 1 })
  createReadStream(wanted, { start: from, end: to }).pipe(response)
}

const server = createServer((request, response) => {
  const url = new URL(request.url, 'http://stub')
  if (url.pathname.startsWith('/api/v1')) {
    interfaceCall(request, response, url).catch((error) => refuse(response, 500, String(error), 'mend the stub'))
  } else if (url.pathname === '/stub/drop') {
    refuse_until = Date.now() + Number(url.searchParams.get('ms') ?? 8000)
    for (const stream of streams) stream.socket.terminate()
    json(response, {})
  } else if (url.pathname === '/stub/login') {
    need_login = url.searchParams.get('on') === '1'
    json(response, {})
  } else if (url.pathname === '/login') {
    response.writeHead(302, { Location: '/' }).end()
  } else file(request, response, url.pathname)
})
const sockets = new WebSocketServer({ noServer: true })
server.on('upgrade', (request, socket, head) => {
  if (need_login || Date.now() < refuse_until) return socket.destroy()
  sockets.handleUpgrade(request, socket, head, (ws) => {
    const stream = { socket: ws, sequence: 0 }
    streams.add(stream)
    ws.on('close', () => streams.delete(stream))
    ws.on('message', (data) => {
      const told = JSON.parse(String(data))
      if (told.t === 'resync') snapshot(stream)
    })
    const since = Number(new URL(request.url, 'http://stub').searchParams.get('since') ?? sequence_of_entries)
    say(stream, { t: 'hello', node: { id: 'n-1', name: 'ALPHA' }, context: 'EXERCISE:DEMO', banner: BANNER, cursor: String(sequence_of_entries), server_time_ms: Date.now(), epoch: 1 })
    for (const one of entries) if (Number(one.cursor) > since) say(stream, { t: 'entry', entry: one, cursor: one.cursor })
    snapshot(stream)
  })
})
server.listen(PORT, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/`))
