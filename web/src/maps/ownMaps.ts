/** Maps that people brought to the node, as layers over the shipped one: order, dimming and what is shown are kept on this machine. */
import { PMTiles, TileType } from 'pmtiles'
import { ref, shallowRef, watch } from 'vue'
import type { PackageRow } from '../api.generated'
import { api, ApiError } from '../api/client'
import type { Desk } from '../store/desk'
import type { OwnMap } from './layers'

export const FORMATS = ['pmtiles', 'mbtiles', 'gpkg'] as const
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
/** Why a map cannot be shown, by its digest. */
export const faults = shallowRef<ReadonlyMap<string, string>>(new Map())
const known = new Map<string, OwnMap>()

/** Reads which maps there are. Throws ApiError. */
export async function readMaps(): Promise<PackageRow[]> {
  const found = (await api.packages('')).filter((row) => mapFormat(row.name))
  rows.value = [...new Map(found.map((row) => [row.hash, row])).values()]
  looks.value = looksFor(rows.value, looks.value)
  return rows.value
}

/** What the map needs to show a file; asked once for each. */
async function describe(row: PackageRow): Promise<OwnMap> {
  const was = known.get(row.hash)
  if (was) return was
  const made = mapFormat(row.name) === 'pmtiles' ? await ofArchive(row) : await ofTiles(row)
  known.set(row.hash, made)
  return made
}

async function ofArchive(row: PackageRow): Promise<OwnMap> {
  const url = new URL(api.fileUrl(row.hash), location.origin).href
  const archive = new PMTiles(url)
  const header = await archive.getHeader()
  const about = (await archive.getMetadata()) as { vector_layers?: { id: string }[]; attribution?: string }
  const layers = header.tileType === TileType.Mvt ? (about.vector_layers ?? []).map((layer) => layer.id) : null
  const bounds: OwnMap['bounds'] = [header.minLon, header.minLat, header.maxLon, header.maxLat]
  return { hash: row.hash, url: `pmtiles://${url}`, layers, min_zoom: header.minZoom, max_zoom: header.maxZoom, bounds, attribution: about.attribution ?? '' }
}

interface Facts {
  kind: 'raster' | 'vector'
  min_zoom: number
  max_zoom: number
  bounds: OwnMap['bounds']
  layers?: string[]
  attribution?: string
}
async function ofTiles(row: PackageRow): Promise<OwnMap> {
  const answer = await fetch(`/tiles/${row.hash}`, { credentials: 'same-origin' })
  if (!answer.ok) throw new Error(((await answer.json()) as { error?: { reason?: string } }).error?.reason ?? String(answer.status))
  const facts = (await answer.json()) as Facts
  return { hash: row.hash, url: null, layers: facts.kind === 'vector' ? (facts.layers ?? []) : null, min_zoom: facts.min_zoom, max_zoom: facts.max_zoom, bounds: facts.bounds, attribution: facts.attribution ?? '' }
}

export interface Shown extends OwnMap {
  opacity: number
}
/** The maps to draw, the lowest first. */
export async function shownMaps(): Promise<Shown[]> {
  const shown: Shown[] = []
  const wrong = new Map<string, string>()
  for (const look of [...looks.value].reverse()) {
    const row = rows.value.find((one) => one.hash === look.hash)
    if (!row || !look.shown) continue
    try {
      shown.push({ ...(await describe(row)), opacity: look.opacity })
    } catch (error) {
      wrong.set(look.hash, error instanceof Error ? error.message : String(error))
    }
  }
  faults.value = wrong
  return shown
}

/** Where a map lies, once it was described; null: not said. */
export function boundsOf(hash: string): OwnMap['bounds'] {
  return known.get(hash)?.bounds ?? null
}

/** Sends a file to the node as a package that every screen may show. */
export async function bringMap(file: File, desk: Desk): Promise<void> {
  desk.notify({ tone: 'ok', key: 'ownMaps.sending', words: { name: file.name } })
  if (!(await desk.attempt(() => api.upload(file)))) return
  if (await desk.attempt(readMaps)) desk.notify({ tone: 'ok', key: 'ownMaps.brought', words: { name: file.name } })
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
