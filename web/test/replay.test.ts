import type { Feature } from 'geojson'
import { describe, expect, it, vi } from 'vitest'
import type { EntityRow, TrackRow } from '../src/api.generated'
import { cameraOf } from '../src/print/camera'
import { kindsOf, symbolLines, trailLines, type LegendLine } from '../src/print/legend'
import { laid, roomFor } from '../src/print/legendBox'
import { PAPERS } from '../src/print/paper'
import { cornerGrid, degreeTicks, groundPerMm, roundLength, scaleNumber } from '../src/print/sheet'
import { sheetOf } from '../src/print/layout'
import { BOOKMARKS_MAX, readBookmarks, writeBookmarks } from '../src/replay/bookmarks'
import { entriesUntil, fill, momentOf, momentText } from '../src/replay/past'
import { trailOf } from '../src/replay/trail'
import { boxOf, linesOf, readTrails, TRAIL_POINTS, trails_min, trailsIn } from '../src/replay/trails'
import type { Shell } from '../src/shell/shell'
import { TrackStore } from '../src/store/tracks'
import type { Entry } from '../src/api/types'

const AT = Date.UTC(2026, 10, 25, 14, 10)

function row(id: string, change: Partial<EntityRow> = {}): EntityRow {
  return {
    id,
    name: id.toUpperCase(),
    sidc: '10031000001211000000',
    aliases: [],
    position: { lat_deg: 43, lon_deg: 77, hae_m: 1500 } as EntityRow['position'],
    motion: { course_deg: 90, speed_mps: 2.5 } as EntityRow['motion'],
    observed_at: '2026-11-25T14:09:30.000Z',
    stale_at: '2026-11-25T14:12:30.000Z',
    source: 'tak',
    label: {} as EntityRow['label'],
    type: 'a-f-G',
    category: 'unit',
    affiliation: 'friend',
    redacted: false,
    team: null,
    role: null,
    emergency: null,
    remarks: null,
    battery_pct: null,
    how: null,
    fields: {},
    geometry: null,
    skew_s: null,
    sources: [],
    ...change,
  } as EntityRow
}

describe('a picture of the past', () => {
  it('is the rows and nothing else, each with the age that it had then', () => {
    const [store, handles] = [new TrackStore(), new Map<string, number>()]
    fill(store, [row('a'), row('b', { position: null, motion: null })], handles)
    const [a, b] = [store.handleOf('a')!, store.handleOf('b')!]
    expect(store.motion(a)).toEqual({ lat_deg: 43, lon_deg: 77, alt_m: 1500, speed_mps: 2.5, course_deg: 90 })
    expect(store.motion(b)).toBeNull()
    expect(store.age(a, AT)).toBe('fresh')
    expect(store.age(a, AT + 200_000)).toBe('stale')
    // An earlier moment: what was seen later is not known any more, and handles stay.
    fill(store, [row('b', { observed_at: '2026-11-25T14:00:00.000Z' })], handles)
    expect([store.handleOf('a'), store.handleOf('b')]).toEqual([null, b])
    expect(store.observed_ms[b]).toBe(Date.UTC(2026, 10, 25, 14, 0))
  })

  it('trades places with the present, which goes on behind', () => {
    const [shown, behind] = [new TrackStore(), new TrackStore()]
    fill(shown, [row('now')], new Map())
    const versions = [shown.version, shown.meta_version]
    shown.exchange(behind)
    expect([shown.handleOf('now'), behind.handleOf('now')]).toEqual([null, 0])
    expect(shown.version).toBeGreaterThan(versions[0])
    expect(shown.meta_version).toBeGreaterThan(versions[1])
    fill(behind, [row('now'), row('later')], new Map())
    shown.exchange(behind)
    expect(shown.handleOf('later')).toBe(1)
  })

  it('has only the lines that had happened', () => {
    const lines = [AT - 1, AT, AT + 1].map((happened_at_ms) => ({ happened_at_ms }) as Entry)
    expect(entriesUntil(lines, AT)).toEqual(lines.slice(0, 2))
  })
})

describe('a moment as a link', () => {
  it('comes back as it went', () => {
    const moment = { at_ms: AT, bbox: [76.1, 42.5, 78, 43.25] as [number, number, number, number] }
    expect(momentText(moment)).toBe('at=2026-11-25T14:10:00Z&bbox=76.1,42.5,78,43.25')
    expect(momentOf(`#${momentText(moment)}`)).toEqual(moment)
    for (const at of ['2026-11-25T14:10Z', '2026-11-25T14:10', '2026-11-25T15:10%2B01:00']) expect(momentOf(`#at=${at}`), at).toEqual({ at_ms: AT, bbox: null })
  })

  it.each(['', '#', '#at=', '#at=yesterday', '#bbox=1,2,3,4', '#at=-1000000-01-01'])('is none in %j', (hash) => {
    expect(momentOf(hash)).toBeNull()
  })

  it.each(['1,2,3', '3,2,1,4', '1,4,3,2', 'a,b,c,d', '1,-89,3,4', ''])('leaves the bad box %j out', (bbox) => {
    expect(momentOf(`#at=2026-11-25T14:10Z&bbox=${bbox}`)).toEqual({ at_ms: AT, bbox: null })
  })
})

describe('bookmarks', () => {
  it('are kept in order of time, so many and no more', () => {
    let kept = ''
    const storage = { setItem: (_: string, value: string) => void (kept = value), getItem: () => kept }
    writeBookmarks(storage, Array.from({ length: BOOKMARKS_MAX + 5 }, (_, n) => ({ name: `n${n}`, at_ms: 1000 - n })))
    const read = readBookmarks(storage)
    expect(read).toHaveLength(BOOKMARKS_MAX)
    expect([read[0].at_ms, read[BOOKMARKS_MAX - 1].at_ms]).toEqual([896, 995])
  })

  it.each(['', 'nonsense', '{}', '[1, null, {"name": 3}]'])('are none in %j', (kept) => {
    expect(readBookmarks({ getItem: () => kept || null })).toEqual([])
  })
})

describe('a trail', () => {
  it('is one line in order of time with a dot every five minutes, also across 180 degrees', () => {
    const fix = (minute: number, lon_deg: number) => ({ at_ms: AT + minute * 60_000, lat_deg: 10, lon_deg })
    const { features } = trailOf([fix(6, -179.5), fix(0, 179), fix(3, 179.8)], 'A')
    expect(features[0].geometry).toEqual({ type: 'LineString', coordinates: [[179, 10], [179.8, 10], [180.5, 10]] })
    expect(features.slice(1).map((one) => one.geometry)).toEqual([{ type: 'Point', coordinates: [180.5, 10] }])
    expect(trailOf([fix(0, 1)], 'A').features).toEqual([])
  })
})

describe('trails of all that is seen', () => {
  const fix = (entity: string, minute: number) => ({ entity, at_ms: AT + minute * 60_000, lat_deg: 10, lon_deg: 77 + minute / 100 }) as TrackRow

  it('are a line with its side for each entity that the filter lets through and that has moved', () => {
    const { features } = linesOf({ rows: [fix('a', 1), fix('b', 0), fix('a', 0), fix('b', 2), fix('c', 0)], span_min: 60 }, (id) => ({ a: 'friend', c: 'hostile' })[id] ?? null)
    expect(features.map(({ properties, geometry }) => [properties, geometry])).toEqual([[{ affiliation: 'friend', span_min: 60 }, { type: 'LineString', coordinates: [[77, 10], [77.01, 10]] }]])
  })

  it('are asked for in a box that the node knows', () => {
    expect(boxOf([170, -95, 190, 10])).toEqual([170, -90, -170, 10])
    expect(boxOf([-200, -20, 200, 95])).toEqual([-180, -20, 180, 90])
  })

  it('get shorter where there are too many, so that the newest are never what is missing', async () => {
    const spans_min: number[] = []
    vi.stubGlobal('fetch', async (path: string) => {
      const words = new URLSearchParams(path.split('?')[1])
      spans_min.push((Number(words.get('until_ms')) - Number(words.get('from_ms'))) / 60_000)
      const count = spans_min.at(-1)! > 20 ? TRAIL_POINTS : 3
      return new Response(JSON.stringify(Array.from({ length: count }, () => fix('a', 0))))
    })
    const { rows, span_min } = await readTrails([76, 42, 78, 44], AT, 60)
    expect([spans_min, span_min, rows.length]).toEqual([[60, 30, 15], 15, 3])
    vi.unstubAllGlobals()
  })

  it('are read for the box of a sheet, of what the filter lets through; without the node the screen’s stay', async () => {
    const store = new TrackStore()
    fill(store, [row('a'), row('b')], new Map())
    const shell = { desk: { tracks: store, clock: { now_ms: () => AT } }, tracks: { shown: { value: [store.handleOf('a')!] } } } as unknown as Shell
    const asked: (string | null)[] = []
    vi.stubGlobal('fetch', async (path: string) => {
      asked.push(new URLSearchParams(path.split('?')[1]).get('bbox'))
      return new Response(JSON.stringify(['a', 'b'].flatMap((id) => [fix(id, 0), fix(id, 1)])))
    })
    expect(await trailsIn(shell, [70, 40, 84, 46])).toBeNull()
    trails_min.value = 10
    const lines = await trailsIn(shell, [70, 40, 84, 46])
    expect([asked, lines?.features.map((one) => one.properties)]).toEqual([['70,40,84,46'], [{ affiliation: 'friend', span_min: 10 }]])
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('away')))
    expect(await trailsIn(shell, [70, 40, 84, 46])).toBeNull()
    trails_min.value = 0
    vi.unstubAllGlobals()
  })
})

describe('a sheet', () => {
  it('has its parts on the paper, none over another', () => {
    for (const paper of PAPERS) {
      const { width, height, banner, map, legend } = sheetOf(paper)
      if (paper.endsWith('portrait')) expect(map.y + map.height).toBeLessThan(legend.y)
      else expect(map.x + map.width).toBeLessThan(legend.x)
      expect(legend.x + legend.width).toBeLessThan(width)
      expect(legend.y + legend.height).toBeLessThan(height - banner)
      expect(map.y).toBeGreaterThan(banner)
      expect(map.y + map.height).toBeLessThan(height - banner)
    }
  })

  it('marks round degrees where they are', () => {
    const { across, down } = degreeTicks([76.4, 42.6, 77.6, 43.4])
    expect(across.map((tick) => tick.text)).toEqual(['76°30′E', '76°45′E', '77°E', '77°15′E', '77°30′E'])
    expect(across[2].share).toBeCloseTo(0.5)
    expect(down.map((tick) => tick.text)).toContain('43°N')
    expect(down.every(({ share }) => share >= 0 && share <= 1)).toBe(true)
    expect(degreeTicks([179, -1, 181, 1]).across.map((tick) => tick.text)).toContain('179°30′W')
    expect(cornerGrid(43.4, 76.4)).toMatch(/^43T \w\w \d\d \d\d$/)
    expect(cornerGrid(85, 0)).toBe('')
  })

  it('says how large the ground is', () => {
    // One degree on the equator over 111 mm: about a kilometre each.
    const ground = groundPerMm([10, -0.5, 11, 0.5], 111.3)
    expect(ground).toBeGreaterThan(995)
    expect(ground).toBeLessThan(1005)
    expect(scaleNumber(ground).replace(/\D/g, '')).toBe('1000000')
    expect([roundLength(49), roundLength(2600), roundLength(1)]).toEqual([20, 2000, 1])
  })

  it('shows all of what was seen on the screen', () => {
    const { place, zoom } = cameraOf([-180, -85.051129, 180, 85.051129], { width: 1024, height: 512 })
    expect(zoom).toBeCloseTo(0)
    expect(place.lat_deg).toBeCloseTo(0)
    expect(place.lon_deg).toBe(0)
    expect(cameraOf([76, 43, 77, 43.01], { width: 512, height: 5120 }).zoom).toBeCloseTo(Math.log2(360))
  })

  it('has a legend of what lies on it, each kind once', () => {
    const store = new TrackStore()
    const far = { position: { lat_deg: 10, lon_deg: 10 } as EntityRow['position'] }
    fill(store, [row('a'), row('b'), row('c', { affiliation: 'hostile' }), row('d', far)], new Map())
    const kinds = kindsOf(store, [76, 42, 78, 44])
    expect(kinds.map(({ affiliation, count, names }) => [affiliation, count, names])).toEqual([
      ['friend', 2, ['A', 'B']],
      ['hostile', 1, ['C']],
    ])
    const shown = kindsOf(store, [76, 42, 78, 44], new Set(['c', 'a']))
    expect(shown.map(({ count, names }) => [count, names])).toEqual([[1, ['B']]])
  })

  it('says each line of its legend once', () => {
    const kind = (sidc: string, category: string, names: string[]) => ({ sidc, mark: null, affiliation: 'unknown', category, names, count: 1 })
    const lines = symbolLines([kind('1', 'track', ['T1']), kind('2', 'track', ['T2']), kind('3', 'place', [])], ({ affiliation, category }) => `${affiliation} · ${category}`)
    expect(lines.map(({ text }) => text)).toEqual(['unknown · track', 'T1', 'T2', 'unknown · place', ''])
  })

  it('names the trails that are on it', () => {
    const line = (properties: object) => ({ type: 'Feature', properties, geometry: { type: 'LineString', coordinates: [] } }) as Feature
    const dot: Feature = { type: 'Feature', properties: {}, geometry: { type: 'Point', coordinates: [] } }
    const [hostile, friend] = ['hostile', 'friend'].map((affiliation) => line({ affiliation, span_min: 10 }))
    const lines = trailLines([hostile, friend, friend, line({ name: 'FALCO', span_min: 60 }), dot], (n) => `last ${n} min`, (side) => side)
    expect(lines.map(({ text, count }) => [text, count])).toEqual([['last 10 min', null], ['friend', 2], ['hostile', 1], ['last 60 min', null], ['FALCO', null]])
    expect(trailLines([], String, String)).toEqual([])
  })

  it('lays its legend into columns, and says how much found no room', () => {
    const symbol = () => null as unknown as HTMLCanvasElement
    const [heading, one]: LegendLine[] = [{ symbol: null, text: 'a', count: null }, { symbol, text: 'b', count: 1 }]
    const box = { height: 6 + 5 + 2 * 7.8, columns: 2 }
    expect(laid([heading, one, one, one], box, 0).places.map(({ column }) => column)).toEqual([0, 0, 0, 1])
    // A heading goes with what is below it.
    expect(laid([heading, one, heading, one], box, 0).places.map(({ column }) => column)).toEqual([0, 0, 1, 1])
    expect(laid([heading, one, one, one, one], box, 7.8).left).toBe(1)
    expect(laid([heading, one, heading, one, heading, one], { ...box, columns: 1 }, 0)).toMatchObject({ places: [{ y: 6 }, { y: 11 }], left: 2 })
  })

  it('packs the lines of a sheet denser, and in one column more, before it leaves one out', () => {
    const symbol = () => null as unknown as HTMLCanvasElement
    const lines = (count: number): LegendLine[] => [{ symbol: null, text: 'a', count: null }, ...Array.from({ length: count }, (_, n) => ({ symbol, text: `${n}`, count: 1 }))]
    const { legend } = sheetOf('A4 portrait')
    const rooms = [10, 22, 30, 99].map((count) => roomFor(lines(count), legend, () => 8))
    expect(rooms.map(({ columns, shown }) => [columns, shown.left > 0])).toEqual([[3, false], [3, false], [4, false], [4, true]])
    expect(rooms.map(({ line_mm }) => line_mm)).toEqual([7.8, 6.4, 6.4, 4.3])
    // Beside the map a second column would have no room for names.
    expect(roomFor(lines(99), sheetOf('A4 landscape').legend, () => 8).columns).toBe(1)
  })
})
