import { describe, expect, it, vi } from 'vitest'
import type { TrackMeta } from '../src/api/types'
import type { Atlas } from '../src/map/atlas'
import type { SpriteBatch } from '../src/map/batch'
import { writeSplit } from '../src/map/mercator'
import { Scene } from '../src/map/scene'
import { TrackStore } from '../src/store/tracks'

vi.stubGlobal('document', { createElement: () => ({ getContext: () => ({ font: '', measureText: (text: string) => ({ width: text.length * 7 }) }) }) })

const NOW_MS = 1_790_000_000_000
const RING_PX = 20

const GROUND = '10031000001211000000'
const AIR = '10030100001102000000'
/** Every symbol and text of a picture with 12 units of one battalion on top of each other, and one of them selected; `flies` is an aircraft of it. */
function drawn(selected: number | null, flies: number | null = null, belongs = false): { key: string; x: number; y: number; width: number; height: number }[] {
  const store = new TrackStore()
  store.applyMetas(Array.from({ length: 12 }, (_, h) => ({ h, id: `e${h}`, name: `N${h}`, sidc: h === flies ? AIR : GROUND, type: 'a-f-G', source: 'x', category: 'unit', affiliation: 'friend', observed_at_ms: NOW_MS, stale_at_ms: NOW_MS + 1e7 })) as TrackMeta[])
  for (let h = 0; h < 12; h++) {
    store.placed[h] = 1
    writeSplit(store.mercator, h * 4, 0.5005, 0.5005)
  }
  const pushed: ReturnType<typeof drawn> = []
  const size = { left: -15, top: -12, width: 30, height: 24 }
  const atlas = { generation: 0, reset: () => {}, cell: (key: string) => ({ key, ...size }) } as unknown as Atlas
  const view = { west: 0.5, east: 0.501, north: 0.5, south: 0.501, width_px: 800, height_px: 800, zoom: 6, covered: [] }
  const batch = {
    clear: () => (pushed.length = 0),
    push: (at: Float32Array, from: number, cell: { key: string } & typeof size, _opacity: number, dx?: number, dy?: number) =>
      pushed.push({
        key: cell.key,
        x: ((at[from] + at[from + 2] - view.west) / (view.east - view.west)) * 800 + (dx ?? cell.left),
        y: ((at[from + 1] + at[from + 3] - view.north) / (view.south - view.north)) * 800 + (dy ?? cell.top),
        width: cell.width,
        height: cell.height,
      }),
  } as unknown as SpriteBatch
  const theme = { label: '', plate: '', accent: '', alarm: '', on_tone: '' }
  const scene = new Scene(store, batch, atlas, theme)
  const battalion = { name: '2 BN', sidc: GROUND, affiliation: 'friend' }
  if (belongs) scene.setGroups(() => battalion)
  scene.build(view, { selected, hovered: null }, NOW_MS)
  return pushed
}

describe('one selected among gathered symbols', () => {
  it('is drawn over them with its ring and its name', () => {
    expect(drawn(null).map(({ key }) => key).filter((key) => key.startsWith('r|'))).toEqual([])
    const keys = drawn(7).map(({ key }) => key)
    const ring = keys.indexOf('r|chosen')
    expect(keys[ring + 1]).toBe(`s|${GROUND}|friend`)
    expect(keys.slice(ring + 2).some((key) => key.startsWith('s|'))).toBe(false)
    expect(keys.some((key) => key.includes('N7'))).toBe(true)
  })

  it('has no count of the others written over its ring', () => {
    const shown = drawn(7)
    const count = shown.filter(({ key }) => key.includes('×11'))
    for (const one of count) {
      const apart = Math.abs(one.x + one.width / 2 - 400) >= one.width / 2 + RING_PX - 4 || one.y >= 400 + RING_PX - 4 || one.y + one.height <= 400 - RING_PX + 4
      expect(apart).toBe(true)
    }
  })
})

describe('a helicopter over those of its unit', () => {
  it.each([false, true])('keeps a symbol and a name of its own, in a unit: %s', (belongs) => {
    const keys = drawn(null, 7, belongs).map(({ key }) => key)
    expect(keys).toContain(`s|${AIR}|friend`)
    expect(keys.some((key) => key.includes('×11'))).toBe(true)
  })
  it.each([false, true])('is drawn with its ring when it is found, in a unit: %s', (belongs) => {
    const keys = drawn(7, 7, belongs).map(({ key }) => key)
    expect(keys[keys.indexOf('r|chosen') + 1]).toBe(`s|${AIR}|friend`)
    expect(keys.some((key) => key.includes('N7'))).toBe(true)
  })
})
