import { describe, expect, it, vi } from 'vitest'
import { ref } from 'vue'
import { rowsInSight } from '../src/ui/useRows'
import { Gazetteer } from '../src/geo/places'
import { SLICE, TrackIndex, worthOf } from '../src/store/search'
import { TrackStore } from '../src/store/tracks'
import { parsePlace } from '../src/geo/place'
import { mgrs } from '../src/geo/format'
import { tracksShown } from '../src/shell/tracksShown'
import { Filters } from '../src/store/filters'
import type { Desk } from '../src/store/desk'
import { pieceOf } from '../src/shell/piece'
import type { TrackMeta } from '../src/api/types'
import angles from './angles.json'

const NOW_MS = 1_790_000_000_000
function storeOf(...rows: (Partial<TrackMeta> & { lat?: number; lon?: number; age_s?: number; speed?: number })[]): TrackStore {
  const store = new TrackStore()
  store.applyMetas(
    rows.map((row, h) => ({
      h, id: `e${h}`, name: `N${h}`, sidc: '', type: 'a-f-G', source: 'device:A', category: 'unit', affiliation: 'friend',
      observed_at_ms: NOW_MS - (row.age_s ?? 0) * 1000, stale_at_ms: NOW_MS + 3_600_000, ...row,
    })) as TrackMeta[],
  )
  rows.forEach((row, h) => {
    if (row.lat === undefined) return
    store.placed[h] = 1
    store.lat_deg[h] = row.lat
    store.lon_deg[h] = row.lon!
    store.speed_dmps[h] = (row.speed ?? 0) * 10
  })
  return store
}

describe('filters', () => {
  const store = storeOf(
    { name: 'A', lat: 43, lon: 77, category: 'unit' },
    { name: 'B', lat: 10, lon: 179.5, category: 'marker', affiliation: 'hostile', source: 'device:B' },
    { name: 'C', age_s: 300 },
  )
  const index = new TrackIndex(store)
  const names = (handles: readonly number[]) => handles.map((h) => store.meta[h]!.name)

  it('narrow by area, kind, side, source and age', () => {
    expect(names(index.find({ area: [76, 42, 78, 44] }, NOW_MS))).toEqual(['A'])
    expect(names(index.find({ area: [179, 0, -179, 20] }, NOW_MS))).toEqual(['B'])
    expect(names(index.find({ kind: 'marker' }, NOW_MS))).toEqual(['B'])
    expect(names(index.find({ affiliation: 'hostile' }, NOW_MS))).toEqual(['B'])
    expect(names(index.find({ source: 'device:B' }, NOW_MS))).toEqual(['B'])
    expect(names(index.find({ age: 'ageing' }, NOW_MS))).toEqual(['C'])
    expect(names(index.find({ text: 'b', kind: 'unit' }, NOW_MS))).toEqual([])
  })

  it('are kept by area, kind, nation, source and age, and narrow alike when they are used again', () => {
    const kept = new Map<string, string>()
    vi.stubGlobal('localStorage', { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, text: string) => kept.set(key, text) })
    index.nations = new Map([['device:B', 'KAZ']])
    const wanted = {
      area: { area: [76, 42, 78, 44] as [number, number, number, number] }, kind: { kind: 'marker' }, nation: { nation: 'KAZ' },
      source: { source: 'device:B' }, age: { age: 'ageing' as const }, all: { kind: 'marker', nation: 'KAZ', source: 'device:B', age: 'fresh' as const },
    }
    const first = new Filters()
    for (const [name, filter] of Object.entries(wanted)) first.save(name, filter)
    // The page is opened anew: only what is written down is left.
    const again = Object.fromEntries(new Filters().saved.value.map(({ name, filter }) => [name, names(index.find(filter, NOW_MS))]))
    expect(again).toEqual({ area: ['A'], kind: ['B'], nation: ['B'], source: ['B'], age: ['C'], all: ['B'] })
    vi.unstubAllGlobals()
  })

  it('say what is alike once, and say it anew in another language', () => {
    let [language, asked] = ['en', 0]
    const many = storeOf(...Array.from({ length: 50 }, (_, h) => ({ name: `N${h}`, category: h % 2 ? 'unit' : 'marker' }) as Partial<TrackMeta>))
    const words = { en: { unit: 'Unit', marker: 'Marker' }, it: { unit: 'Unità', marker: 'Punto' } } as Record<string, Record<string, string>>
    const spoken = new TrackIndex(many, { version: () => language, of: ({ category }) => (asked++, words[language][category]) })
    expect(spoken.find({ text: 'marker' }, NOW_MS)).toHaveLength(25)
    expect(asked).toBe(2)
    language = 'it'
    expect(spoken.find({ text: 'marker' }, NOW_MS)).toHaveLength(0)
    expect(spoken.find({ text: 'unita n7' }, NOW_MS).map((h) => many.meta[h]!.name)).toEqual(['N7'])
    expect(asked).toBe(4)
  })

  it('take up many names in slices, and leave out what they have not read', () => {
    const many = storeOf(...Array.from({ length: 2 * SLICE + 1 }, (_, h) => ({ name: `N${2 * SLICE - h}`, lat: 43, lon: 77 })))
    const sliced = new TrackIndex(many)
    const all = (text = '') => sliced.find({ text }, NOW_MS)
    expect([all().length, sliced.behind]).toEqual([SLICE, SLICE + 1])
    expect(all('n0')).toEqual([])
    // One that was read is called otherwise, another goes: neither is found by what it was.
    many.applyMetas([{ ...many.meta[0]!, name: 'OTHER' }])
    many.remove(Uint32Array.of(1))
    expect(all(`n${2 * SLICE}`)).toEqual([])
    expect(all(`n${2 * SLICE - 1}`)).toEqual([])
    while (sliced.behind) sliced.goOn()
    expect(all()).toHaveLength(2 * SLICE)
    expect(all().slice(0, 2).map((h) => many.meta[h]!.name)).toEqual(['N0', 'N1'])
    expect(all('other')).toEqual([0])
    expect(sliced.sort(all(), 'name', true, NOW_MS)[0]).toBe(0)
  })

  it('are whole by themselves once the page has breathed between slices', async () => {
    const many = storeOf(...Array.from({ length: 3 * SLICE }, (_, h) => ({ name: `N${h}` })))
    const desk = { tracks: many, tick: ref(0), meta_version: ref(0), clock: { now_ms: () => NOW_MS } } as unknown as Desk
    const { found, unread } = tracksShown(desk, new TrackIndex(many), ref({}))
    expect([found.value.length, unread.value]).toEqual([SLICE, 2 * SLICE])
    await vi.waitFor(() => expect(unread.value).toBe(0))
    expect(found.value).toHaveLength(3 * SLICE)
  })

  it('leave out what a filter leaves out, but for what somebody picked', () => {
    const three = storeOf({ name: 'MILAN' }, { name: 'TORINO' }, { name: 'ROMA' })
    const selected = ref<string | null>(null)
    const desk = { tracks: three, tick: ref(0), meta_version: ref(0), selected, clock: { now_ms: () => NOW_MS } } as unknown as Desk
    const { left_out } = tracksShown(desk, new TrackIndex(three), ref({ text: 'milan' }))
    expect([...left_out.value]).toEqual(['e1', 'e2'])
    selected.value = 'e2'
    expect([...left_out.value]).toEqual(['e1'])
  })

  it('follow what comes, changes and goes', () => {
    const live = storeOf({ name: 'B' }, { name: 'A' })
    const followed = new TrackIndex(live)
    const now = () => followed.find({}, NOW_MS).map((h) => live.meta[h]!.name)
    expect(now()).toEqual(['A', 'B'])
    live.applyMetas([{ ...live.meta[0]!, emergency: '911 Alert' }])
    expect(now()).toEqual(['B', 'A'])
    live.remove(Uint32Array.of(0))
    expect(now()).toEqual(['A'])
    live.clear()
    expect(now()).toEqual([])
  })
})

describe('a hit is explained by what people see', () => {
  const id = 'a3bc91fe-0d11-5c2e-9f00-00ab12cd34ef'
  const store = storeOf({ name: 'CAMOSCIO', id, source: 'node:feed0000-0d11-5c2e-9f00-00ab12cd34ef' }, { name: 'FENNEC', source: 'device:ORSO' })
  const index = new TrackIndex(store, { version: () => language, of: (meta) => (meta.source === 'device:ORSO' ? 'ORSO Freund' : 'Feind') })
  let language = 'de'
  const found = (text: string) => index.find({ text }, NOW_MS).map((h) => store.meta[h]!.name)

  it('never by a piece of an id, a scheme or a code', () => {
    expect(found('fe')).toEqual(['CAMOSCIO', 'FENNEC'])
    expect(found('fen')).toEqual(['FENNEC'])
    for (const text of ['a3bc', '9f00', 'feed', 'device', 'a-f-G', 'friend', '0d11-5c']) expect(found(text), text).toEqual([])
  })

  it('by eight letters of an id, and then it is said', () => {
    for (const text of [id, id.toUpperCase(), 'a3bc91fe', ' 00ab12cd34ef ']) expect(found(text), text).toEqual(['CAMOSCIO'])
    expect(index.isFoundById(0, 'a3bc91fe')).toBe(true)
    expect(index.isFoundById(0, 'camoscio')).toBe(false)
    expect(index.isFoundById(1, 'a3bc91fe')).toBe(false)
    expect(found('a3bc91fe camoscio')).toEqual([])
  })

  it('in the words of the language that is spoken now', () => {
    const said = { version: () => language, of: () => (language === 'de' ? 'Freund' : 'Ami') }
    const spoken = new TrackIndex(store, said)
    expect(spoken.find({ text: 'freund' }, NOW_MS)).toHaveLength(2)
    language = 'fr'
    expect(spoken.find({ text: 'freund' }, NOW_MS)).toHaveLength(0)
    expect(spoken.find({ text: 'ami' }, NOW_MS)).toHaveLength(2)
  })

  it('or the piece of a record is shown that holds the word', () => {
    const body = { type: 'x', fields: { remarks: 'they came from the old quarry above the road and went on' }, who: ['ORSO'] }
    expect(pieceOf(body, 'ORSO seen', 'orso')).toBe('')
    expect(pieceOf(body, 'ORSO seen', 'orso quarry')).toBe('they came from the old quarry above the road and went…')
    expect(pieceOf(body, '', 'nothing of it')).toBe('')
    expect(pieceOf({ changes: [{ path: 'tasks.T2.text', new: 'x' }] }, '', 'T2')).toBe('task T2, text')
  })
})

describe('sorting', () => {
  const store = storeOf({ name: 'P 2', lat: 0, lon: 0, speed: 5, age_s: 9 }, { name: 'P 10', lat: 0, lon: 0, speed: 1, age_s: 5 }, { name: 'P 1', category: 'marker' })
  store.observed_ms[2] = NaN
  const index = new TrackIndex(store)
  const sorted = (...how: [Parameters<TrackIndex['sort']>[1], boolean]) => index.sort([0, 1, 2], ...how, NOW_MS).map((h) => store.meta[h]!.name)

  it('is by the column, either way, with the unknown last', () => {
    expect(sorted('name', false)).toEqual(['P 1', 'P 2', 'P 10'])
    expect(sorted('name', true)).toEqual(['P 10', 'P 2', 'P 1'])
    expect(sorted('speed', false)).toEqual(['P 10', 'P 2', 'P 1'])
    expect(sorted('speed', true)).toEqual(['P 2', 'P 10', 'P 1'])
    expect(sorted('age', true)).toEqual(['P 2', 'P 10', 'P 1'])
    expect(sorted('kind', false)).toEqual(['P 2', 'P 10', 'P 1'])
  })
})

describe('what the picture is worth', () => {
  it('counts each entity once: fresh, ageing or stale', () => {
    const store = storeOf({}, { age_s: 300 }, { age_s: 9000, stale_at_ms: NOW_MS - 60_000 }, { age_s: 9000, category: 'marker', stale_at_ms: NOW_MS + 1e9 })
    expect(worthOf(store, NOW_MS)).toEqual({ entities: 4, fresh: 2, ageing: 1, stale: 1 })
  })
})

describe('one box for a place', () => {
  // Wanted values: PROJ 9 (pyproj), EPSG:32643, 32756 and 32631.
  it.each([
    ['43T 612345 4723456', 42.65536988, 76.37067847],
    ['56H 334900 6252288', -33.8568067, 151.2152937],
    ['31U 448251E 5411932N', 48.85819384, 2.29448925],
    ['31u 448251mE 5411932mN', 48.85819384, 2.29448925],
  ])('reads UTM %s', (text, lat, lon) => {
    const place = parsePlace(text)!
    expect(place.lat_deg).toBeCloseTo(lat, 7)
    expect(place.lon_deg).toBeCloseTo(lon, 7)
  })

  it.each([
    ['42.5, 77.1', 42.5, 77.1],
    ['N 42.5 E 77.1', 42.5, 77.1],
    ['77.1E 42.5N', 42.5, 77.1],
    ['42°30\'N 77°06\'E', 42.5, 77.1],
    ['42°30′00″ N, 77°06′00″ E', 42.5, 77.1],
    ['33°51\'24"S 151°12\'55"E', -33.856667, 151.215278],
    ['42,5 77,1', 42.5, 77.1],
  ])('reads %s', (text, lat, lon) => {
    const place = parsePlace(text)!
    expect(place.lat_deg).toBeCloseTo(lat, 5)
    expect(place.lon_deg).toBeCloseTo(lon, 5)
  })

  it.each(angles.read)('reads $text as the node does', ({ text, lat_deg, lon_deg }) => {
    for (const typed of [text, text.toLowerCase()]) {
      const place = parsePlace(typed)!
      expect(place.lat_deg).toBeCloseTo(lat_deg, 5)
      expect(place.lon_deg).toBeCloseTo(lon_deg, 5)
    }
  })

  it.each(angles.refused)('does not read $text: $why', ({ text }) => {
    expect(parsePlace(text)).toBeNull()
  })

  it.each([
    ['42 48,5 N 77 30,25 E', 42.808333, 77.504167],
    ['4248,5N 07730,25E', 42.808333, 77.504167],
    ['42,8 N 77,5 E', 42.8, 77.5],
    ['42,8; 77,5', 42.8, 77.5],
  ])('reads decimal commas: %s', (text, lat, lon) => {
    const place = parsePlace(text)!
    expect(place.lat_deg).toBeCloseTo(lat, 5)
    expect(place.lon_deg).toBeCloseTo(lon, 5)
  })

  it('reads MGRS with spaces, in small letters', () => {
    const place = parsePlace(mgrs(42.8, 77.5).toLowerCase())!
    expect(place.lat_deg).toBeCloseTo(42.8, 4)
  })

  it.each(['', 'PATROL 1', '99T FJ 12 34', '43T 1 2', '43T 612345 99999999', '42°75\'N 77°E', '42N 43N', '12 200', 'x'.repeat(200)])('is not fooled by %j', (text) => {
    expect(parsePlace(text)).toBeNull()
  })
})

describe('towns', () => {
  const towns = new Gazetteer({ name: ['São Paulo', 'Paris', 'New Paris'], cc: ['BR', 'FR', 'US'], lat_deg: [-23, 48, 40], lon_deg: [-46, 2, -86] })

  it('are found by the beginning of a word, without accents, the greatest first', () => {
    expect(towns.find('sao', 9).map((town) => town.country)).toEqual(['BR'])
    expect(towns.find('paris', 9).map((town) => town.country)).toEqual(['FR', 'US'])
    expect(towns.find('aris', 9)).toEqual([])
    expect(towns.find('p', 9)).toEqual([])
  })
})

describe('rows in sight', () => {
  it('are those of the window and a few more, never beyond the list', () => {
    expect(rowsInSight(0, 460, 46, 100_000)).toEqual([0, 16])
    expect(rowsInSight(46_000, 460, 46, 100_000)).toEqual([994, 1016])
    expect(rowsInSight(46_000, 460, 46, 1010)).toEqual([994, 1010])
    expect(rowsInSight(46_000, 460, 46, 3)).toEqual([3, 3])
    expect(rowsInSight(0, 0, 46, 0)).toEqual([0, 0])
  })
})
