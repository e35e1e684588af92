/** Maps that people brought to the node, as layers over the shipped one: order, dimming and what is shown are kept on this machine. */
import { FetchSource, FileSource } from 'pmtiles'
import type { FeatureCollection } from 'geojson'
import { ref, shallowRef, watch } from 'vue'
import type { PackageRow } from '../api.generated'
import { api, ApiError } from '../api/client'
import type { Desk } from '../store/desk'
import { readArchive } from './archive'
import { MapFault, saying, type Saying } from './fault'
import type { Ground, OwnMap } from './layers'
import { readAside } from './reading'
import type { Box } from './warp'

export const FORMATS = ['pmtiles', 'mbtiles', 'gpkg', 'tif', 'tiff'] as const
export type Format = (typeof FORMATS)[number]

/** The format by the end of a file's name; null: no map. */
export function mapFormat(name: string): Format | null {
  return FORMATS.find((format) => name.toLowerCase().endsWith(`.${format}`)) ?? null
}

/** How a map is shown here; those without an entry are shown whole, under the others. */
export interface Look {
  hash: string
  shown: boolean
  opacity: number
}
const KEY = 'aquila.maps'

/** What was kept; anything broken counts as nothing. The first lies on top. */
export function readLooks(stored: string | null): Look[] {
  try {
    const kept: unknown = JSON.parse(stored ?? '[]')
    if (!Array.isArray(kept)) return []
    return kept.filter((one: Partial<Look> | null): one is Look => typeof one?.hash === 'string' && typeof one.shown === 'boolean' && typeof one.opacity === 'number' && one.opacity >= 0 && one.opacity <= 1)
  } catch {
    return []
  }
}

/** The looks of the maps that there are, in the order of the kept ones; new ones come on top. */
export function looksFor(rows: readonly Pick<PackageRow, 'hash'>[], kept: readonly Look[]): Look[] {
  const there = new Set(rows.map((row) => row.hash))
  const known = new Set(kept.map((look) => look.hash))
  const fresh = [...there].filter((hash) => !known.has(hash)).map((hash) => ({ hash, shown: true, opacity: 1 }))
  return [...fresh, ...kept.filter((look) => there.has(look.hash))]
}

export const looks = ref(readLooks(localStorage.getItem(KEY)))
watch(looks, (now) => localStorage.setItem(KEY, JSON.stringify(now)), { deep: true })
export const rows = shallowRef<PackageRow[]>([])
/** What is to be said of a map that is not shown, or not whole, by its digest. */
export const sayings = shallowRef<ReadonlyMap<string, Saying>>(new Map())
/** What the files said of themselves; those that cannot be shown stay refused, others are asked again. */
const known = new Map<string, Promise<OwnMap>>()
const described = new Map<string, OwnMap>()

/** Reads which maps there are. Throws ApiError. */
export async function readMaps(): Promise<PackageRow[]> {
  const found = (await api.packages('')).filter((row) => mapFormat(row.name))
  const now = [...new Map(found.map((row) => [row.hash, row])).values()]
  // The same rows are no news: whoever shows them would lay all maps anew.
  if (JSON.stringify(now) !== JSON.stringify(rows.value) || unsure) rows.value = now
  for (const hash of known.keys()) if (!rows.value.some((row) => row.hash === hash)) forget(hash)
  looks.value = looksFor(rows.value, looks.value)
  return rows.value
}

function forget(hash: string): void {
  known.delete(hash)
  described.delete(hash)
}

type Named = Pick<PackageRow, 'hash' | 'name'>
/** What the map needs to show a file; asked once for each. Throws MapFault, and Error where the node does not give it. */
function describe(row: Named): Promise<OwnMap> {
  const was = known.get(row.hash)
  if (was) return was
  const format = mapFormat(row.name)
  const asked = format === 'pmtiles' ? ofArchive(row) : format === 'tif' || format === 'tiff' ? ofPicture(row) : ofTiles(row)
  known.set(row.hash, asked)
  asked.then(
    (own) => described.set(row.hash, own),
    (error) => error instanceof MapFault || forget(row.hash),
  )
  return asked
}

const NOTHING = { ground: null, shapes: null, left_out: 0, bounds: null, attribution: '' }

async function ofArchive(row: Named): Promise<OwnMap> {
  const url = new URL(api.fileUrl(row.hash), location.origin).href
  const { layers, ...about } = await readArchive(new FetchSource(url))
  return { ...NOTHING, ...about, hash: row.hash, ground: { kind: 'archive', url: `pmtiles://${url}`, layers } }
}

/** A whole answer of the node. Throws MapFault with its reason for a file that it cannot read (422), Error where it does not give it. */
async function given(url: string): Promise<Response> {
  const answer = await fetch(url, { credentials: 'same-origin' })
  if (answer.ok) return answer
  const reason = ((await answer.json()) as { error?: { reason?: string } }).error?.reason ?? String(answer.status)
  throw answer.status === 422 ? new MapFault('other', { reason }) : new Error(reason)
}

async function ofPicture(row: Named): Promise<OwnMap> {
  const { pixels, width_px, height_px, box } = await readAside(await (await given(api.fileUrl(row.hash))).blob())
  const canvas = document.createElement('canvas')
  canvas.width = width_px
  canvas.height = height_px
  canvas.getContext('2d')!.putImageData(new ImageData(pixels, width_px, height_px), 0, 0)
  return { ...NOTHING, hash: row.hash, ground: { kind: 'picture', canvas, box }, bounds: box }
}

interface Facts {
  kind: 'raster' | 'vector' | 'none'
  min_zoom: number
  max_zoom: number
  bounds: OwnMap['bounds']
  layers?: string[]
  attribution?: string
  /** It has vector layers of a GeoPackage. */
  shapes?: boolean
}
async function ofTiles(row: Named): Promise<OwnMap> {
  const facts = (await (await given(`/tiles/${row.hash}`)).json()) as Facts
  const layers = facts.kind === 'vector' ? (facts.layers ?? []) : null
  if (layers && !layers.length) throw new MapFault('tiles', { kind: 'vector_layers: 0' })
  const tiles: Ground = { kind: 'tiles', layers, min_zoom: facts.min_zoom, max_zoom: facts.max_zoom }
  const own = { ...NOTHING, hash: row.hash, ground: facts.kind === 'none' ? null : tiles, bounds: facts.bounds, attribution: facts.attribution ?? '' }
  if (!facts.shapes) return own
  const answer = await given(`/tiles/${row.hash}/shapes`)
  const shapes = (await answer.json()) as FeatureCollection
  return { ...own, shapes, left_out: Number(answer.headers.get('X-Left-Out') ?? 0), bounds: facts.bounds ?? (shapes.bbox as Box | undefined) ?? null }
}

export interface Shown extends OwnMap {
  opacity: number
}
let asked_for = 0
/** A map did not come for a reason that may pass: it is asked for again with the next reading. */
let unsure = false
/** The maps to draw, the lowest first; null: it took so long that somebody asked anew. */
export async function shownMaps(): Promise<Shown[] | null> {
  const turn = ++asked_for
  const shown: Shown[] = []
  const said = new Map<string, Saying>()
  let is_unsure = false
  for (const look of [...looks.value].reverse()) {
    const row = rows.value.find((one) => one.hash === look.hash)
    if (!row || !look.shown) continue
    try {
      const own = await describe(row)
      shown.push({ ...own, opacity: look.opacity })
      if (own.left_out) said.set(look.hash, { key: 'ownMaps.leftOut', words: { n: String(own.left_out) } })
    } catch (error) {
      said.set(look.hash, saying(error, row.name))
      if (!(error instanceof MapFault)) is_unsure = true
    }
  }
  if (turn !== asked_for) return null
  sayings.value = said
  unsure = is_unsure
  return shown
}

/** Where a map lies, once it was described; null: not said. */
export function boundsOf(hash: string): OwnMap['bounds'] {
  return described.get(hash)?.bounds ?? null
}

/** Why a file here cannot be shown, null when it can or only the node can tell. */
function refusalOf(file: File): Promise<Saying | null> {
  const format = mapFormat(file.name)
  const read = format === 'tif' || format === 'tiff' ? readAside(file) : format === 'pmtiles' ? readArchive(new FileSource(file)) : Promise.resolve(null)
  return read.then(() => null, (error: unknown) => saying(error, file.name))
}

/**
 * Sends a file to the node as a package that every screen may show. What nobody can see does not stay there: it is read
 * before it is sent, and where only the node reads it, withdrawn when the node says so.
 */
export async function bringMap(file: File, desk: Desk): Promise<void> {
  desk.notify({ tone: 'ok', key: 'ownMaps.reading', words: { name: file.name } })
  const refusal = await refusalOf(file)
  if (refusal) return desk.notify({ tone: 'bad', ...refusal })
  desk.notify({ tone: 'ok', key: 'ownMaps.sending', words: { name: file.name } })
  let sent: Awaited<ReturnType<typeof api.upload>> | null = null
  if (!(await desk.attempt(async () => (sent = await api.upload(file)))) || !sent) return
  const { UID: uid, Hash: hash }: { UID: string; Hash: string } = sent
  const fault = await describe({ hash, name: file.name }).then(() => null, (error: unknown) => error)
  if (fault instanceof MapFault) await desk.attempt(() => api.withdrawPackage(uid))
  await desk.attempt(readMaps)
  // Only what can be shown is said to be on the map.
  desk.notify(fault ? { tone: 'bad', ...saying(fault, file.name) } : { tone: 'ok', key: 'ownMaps.brought', words: { name: file.name } })
}

/** Moves a map one place up. */
export function raise(hash: string): void {
  const at = looks.value.findIndex((look) => look.hash === hash)
  if (at < 1) return
  const now = [...looks.value]
  ;[now[at - 1], now[at]] = [now[at], now[at - 1]]
  looks.value = now
}

export async function removeMap(row: PackageRow, desk: Desk): Promise<void> {
  if (await desk.attempt(() => api.withdrawPackage(row.uid))) await desk.attempt(readMaps)
}

/** Reads the maps of this node, quietly: without them the shipped map stands. */
export async function firstMaps(): Promise<void> {
  try {
    await readMaps()
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
  }
}
