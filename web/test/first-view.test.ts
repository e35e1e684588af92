import { expect, it } from 'vitest'
import { gatheredBounds } from '../src/map/firstView'
import { TrackStore } from '../src/store/tracks'

const META = { name: 'A', sidc: '10031000000000000000', type: 'a-f-G', source: 's', affiliation: 'friend', category: 'unit', observed_at_ms: 1000, stale_at_ms: 2000 }
function placed(places: readonly [number, number][], emergency: number | null = null): TrackStore {
  const store = new TrackStore()
  store.applyMetas(places.map((_, h) => ({ ...META, h, id: `${h}`, ...(h === emergency ? { emergency: '911 alert' } : {}) })))
  places.forEach(([lat, lon], h) => {
    store.placed[h] = 1
    store.lat_deg[h] = lat
    store.lon_deg[h] = lon
  })
  return store
}
const VALLEY: [number, number][] = Array.from({ length: 20 }, (_, i) => [43 + (i % 5) / 10, 77 + Math.floor(i / 5) / 10])
const near = (bounds: readonly number[] | null) => bounds?.map((deg) => Math.round(deg * 10) / 10)

it('a ship an ocean away widens no first view, somebody in need does', () => {
  const ship: [number, number] = [-35, 18]
  expect(near(gatheredBounds(placed([...VALLEY, ship])))).toEqual([77, 43, 77.3, 43.4])
  expect(near(gatheredBounds(placed([...VALLEY, ship], VALLEY.length)))).toEqual([18, -35, 77.3, 43.4])
})
it('what lies together is seen whole, and so are a few', () => {
  expect(near(gatheredBounds(placed(VALLEY)))).toEqual([77, 43, 77.3, 43.4])
  expect(near(gatheredBounds(placed([[43, 77], [43, 77.1], [10, 20]])))).toEqual([20, 10, 77.1, 43])
  expect(gatheredBounds(placed([]))).toBeNull()
})
