/** Labels in a crowded picture, as rectangles of the screen: which stand there, and that none lies on another. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { TrackMeta } from '../src/api/types'
import type { Atlas, Cell } from '../src/map/atlas'
import type { SpriteBatch } from '../src/map/batch'
import { Labels, namingRank, type Shown } from '../src/map/labels'
import { mercatorX, mercatorY, writeSplit } from '../src/map/mercator'
import { amplifiers, flightLevel } from '../src/map/names'
import { LABEL_HEIGHT } from '../src/map/pictures'
import { TrackStore } from '../src/store/tracks'

const [WIDTH, HEIGHT] = [1200, 800]
const NOW_MS = 1_800_000_000_000
const LETTER_PX = 7
const SYMBOL: Cell = { u0: 0, v0: 0, u1: 0, v1: 0, width: 40, height: 34, left: -20, top: -17 }
const VIEW = { west: mercatorX(77), east: mercatorX(78), north: mercatorY(43), south: mercatorY(43) + ((mercatorX(78) - mercatorX(77)) * HEIGHT) / WIDTH, width_px: WIDTH, height_px: HEIGHT, zoom: 10, covered: [] }
const FOCUS = { selected: null, hovered: null }

interface Box {
  text: string
  left: number
  top: number
  right: number
  bottom: number
}
const overlaps = (a: Box, b: Box) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom

beforeEach(() => vi.stubGlobal('document', { createElement: () => ({ getContext: () => ({ measureText: (text: string) => ({ width: text.length * LETTER_PX }) }) }) }))
afterEach(() => vi.unstubAllGlobals())

type Places = readonly (readonly [number, number])[]
/** Of what kind the one of a handle is, and how old it is. */
type Kind = (h: number) => Partial<TrackMeta> & { age_ms?: number }

/** Aircraft at places of the screen. */
function storeOf(places: Places, kind: Kind): TrackStore {
  const store = new TrackStore()
  store.applyMetas(places.map((_, h) => ({ h, id: `cot:${h}`, name: `FALCO ${h}`, sidc: '10030100001101000000', type: 'a-f-A', source: 's', observed_at_ms: NOW_MS, stale_at_ms: NOW_MS + 60_000, affiliation: 'friend', category: 'platform', ...kind(h) }) as TrackMeta))
  places.forEach(([x, y], h) => {
    const at = [VIEW.west + (x / WIDTH) * (VIEW.east - VIEW.west), VIEW.north + (y / HEIGHT) * (VIEW.south - VIEW.north)]
    writeSplit(store.mercator, h * 4, at[0], at[1])
    store.placed[h] = 1
    store.observed_ms[h] = NOW_MS - (kind(h).age_ms ?? 0)
    store.alt_m[h] = 5210
    store.speed_dmps[h] = 1200
    store.course_cdeg[h] = 4_630
  })
  return store
}

/** The labels that are placed. */
function placed(places: Places, full: boolean, selected: number | null = null, kind: Kind = () => ({})): Box[] {
  const store = storeOf(places, kind)
  const boxes: Box[] = []
  const atlas = { generation: 0, cell: (key: string) => ({ ...SYMBOL, width: 0, height: LABEL_HEIGHT, left: 0, top: 0, text: key.split('|')[2] }) } as unknown as Atlas
  const batch = {
    push: (_: Float32Array, at: number, cell: Cell & { text: string }, __: number, dx: number, dy: number) => {
      const [x, y] = places[at / 4]
      boxes.push({ text: cell.text, left: x + dx, top: y + dy, right: x + dx + cell.text.length * LETTER_PX + 10, bottom: y + dy + LABEL_HEIGHT })
    },
  } as unknown as SpriteBatch
  const shown: Shown = { drawn: Int32Array.from(places.keys()), drawn_count: places.length, cellOf: places.map(() => SYMBOL), clusters: [], drawings: [], naming: Uint8Array.from(places, (_, h) => namingRank(store.meta[h]!)), matters: () => false, clusterCell: () => null, groupOf: () => undefined, higherOf: () => undefined }
  const labels = new Labels(store, batch, atlas, { label: '', plate: '', accent: '', alarm: '', on_tone: '' })
  labels.full = full
  labels.place(shown, VIEW, { ...FOCUS, selected }, NOW_MS)
  return boxes
}

/** Places that look thrown, the same each time: a throng on the left, few on the right. */
const CROWD = Array.from({ length: 300 }, (_, i) => [Math.round(((i * 7919) % WIDTH) ** 3 / WIDTH ** 2), (i * 104_729) % HEIGHT] as const)

describe('labels', () => {
  it.each([false, true])('of a crowd never lie on each other or outside the screen, full: %s', (full) => {
    const boxes = placed(CROWD, full)
    expect(boxes.length).toBeGreaterThan(40)
    // Places are whole pixels, so half a pixel of rounding is allowed on each side.
    const shrunk = boxes.map((box) => ({ ...box, left: box.left + 0.5, right: box.right - 0.5, top: box.top + 0.5, bottom: box.bottom - 0.5 }))
    expect(shrunk.flatMap((a, i) => shrunk.slice(i + 1).filter((b) => overlaps(a, b)).map((b) => `${a.text} on ${b.text}`))).toEqual([])
    for (const box of shrunk) expect([box.left >= 0, box.top >= 0, box.right <= WIDTH, box.bottom <= HEIGHT]).toEqual([true, true, true, true])
    // Nor does one hide the middle of a symbol.
    expect(shrunk.filter((box) => CROWD.some(([x, y]) => overlaps(box, { text: '', left: x - 8, right: x + 8, top: y - 8, bottom: y + 8 })))).toEqual([])
  })
  it('say all there is where there is room, and the name where there is not', () => {
    const whole = 'FALCO 0 · 045° · 430 km/h · 5\u202f200 m'
    expect(placed([[600, 400]], true).map((box) => box.text)).toEqual([whole])
    expect(placed([[600, 400]], false).map((box) => box.text)).toEqual(['FALCO 0'])
    const tight = placed(CROWD, true).map((box) => box.text)
    expect(tight.filter((text) => text.includes('km/h')).length).toBeGreaterThan(0)
    expect(tight.filter((text) => !text.includes('km/h')).length).toBeGreaterThan(0)
    // None loses its name because another says more.
    expect(tight.map((text) => text.split(' · ')[0])).toEqual(placed(CROWD, false).map((box) => box.text))
  })
  it.each([0, 7, 60, 299])('say all there is of the one that is selected, whoever stands round it: %i', (h) => {
    const crowd = [...CROWD.slice(0, h), [4, 400] as const, ...CROWD.slice(h + 1)]
    for (const places of [CROWD, crowd]) {
      const boxes = placed(places, true, h)
      const own = boxes.find((box) => box.text.startsWith(`FALCO ${h} `))
      expect(own?.text).toBe(`FALCO ${h} · 045° · 430 km/h · 5\u202f200 m`)
      expect([own!.left >= 0, own!.right <= WIDTH]).toEqual([true, true])
      const inner = { ...own!, left: own!.left + 1, right: own!.right - 1, top: own!.top + 1, bottom: own!.bottom - 1 }
      expect(boxes.filter((box) => box !== own && overlaps(box, inner))).toEqual([])
    }
  })
  it('go to an alarm, to what ages, to own, to hostile and then to others, wherever they stand in the list', () => {
    // All on one spot: there is room for a few names only.
    const pile = Array.from({ length: 900 }, () => [600, 400] as const)
    const last: Record<number, Partial<TrackMeta> & { age_ms?: number }> = { 896: { affiliation: 'hostile' }, 897: { affiliation: 'friend' }, 898: { age_ms: 180_000 }, 899: { category: 'alert' } }
    const named = placed(pile, false, null, (h) => ({ affiliation: 'unknown', stale_at_ms: NOW_MS + 600_000, ...last[h] }))
    expect(named.map((box) => box.text).slice(-4)).toEqual(['FALCO 896', 'FALCO 897', 'FALCO 898 · 3 min', 'FALCO 899'])
  })
  it('slide aside where a neighbour takes the place under the symbol', () => {
    const walled = [[600, 400], [560, 432], [640, 400], [560, 400], [560, 368]] as const
    expect(placed(walled, false).map((box) => box.text)).toContain('FALCO 0')
  })
})

describe('what a label says beside the name', () => {
  const motion = { lat_deg: 43, lon_deg: 77, alt_m: 5210, speed_mps: 12, course_deg: 358 }
  const land = { name: 'PATROL 1', sidc: '10031000001211000000' }
  const air = { name: 'FALCO', sidc: '10030100001101000000' }

  it('is course and speed of what moves, and the height of what flies', () => {
    expect(amplifiers(land, motion, null)).toEqual(['000°', '45 km/h'])
    expect(amplifiers(land, { ...motion, speed_mps: 1.2 }, null)).toEqual(['000°', '5 km/h'])
    expect(amplifiers(air, motion, null)).toEqual(['000°', '45 km/h', '5\u202f200 m'])
  })
  it('is the flight level of what tells no height', () => {
    const level = { ...motion, alt_m: null }
    expect(amplifiers({ ...air, level: 105 }, level, null)).toEqual(['000°', '45 km/h', 'FL105'])
    expect(amplifiers({ ...air, level: 105 }, motion, null).at(-1)).toBe('5\u202f200 m')
    expect(amplifiers({ ...land, level: 105 }, level, null)).toEqual(['000°', '45 km/h'])
    expect([5, 0, -3].map(flightLevel)).toEqual(['FL005', 'FL000', 'FL-003'])
  })
  it('is nothing of what stands or has told nothing', () => {
    expect(amplifiers(land, { ...motion, speed_mps: 0.3 }, null)).toEqual([])
    expect(amplifiers(air, { ...motion, alt_m: null, speed_mps: null }, null)).toEqual([])
    expect(amplifiers(air, null, null)).toEqual([])
  })
  it('is the unit above, once and not under its own name', () => {
    expect(amplifiers(land, null, '2 BN')).toEqual(['2 BN'])
    expect(amplifiers(land, null, 'PATROL 1')).toEqual([])
  })
})
