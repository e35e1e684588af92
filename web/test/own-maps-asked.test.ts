/** A map file that cannot be drawn is said to be one, and asked for once; one that did not come is asked for again. */
import { beforeEach, expect, it, vi } from 'vitest'

vi.hoisted(() => {
  vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => undefined })
  vi.stubGlobal('location', { origin: 'http://node' })
})
const answers = new Map<string, () => Response>()
const asked: string[] = []
vi.stubGlobal('fetch', async (path: string | URL) => {
  asked.push(String(path))
  return answers.get(String(path))?.() ?? new Response('{}', { status: 404 })
})

import { FetchSource } from 'pmtiles'
import { readArchive } from '../src/maps/archive'
import { MapFault } from '../src/maps/fault'
import { readMaps, sayings, shownMaps } from '../src/maps/ownMaps'

const row = (hash: string, name: string) => ({ hash, name, uid: hash, size_bytes: 1 })
const refused = (status: number) => () => new Response(JSON.stringify({ error: { reason: 'no tile' } }), { status })
/** Three readings, as the open panel makes them. */
async function look(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) {
    await readMaps()
    await shownMaps()
  }
}
const about = (hash: string) => asked.filter((path) => path === `/tiles/${hash}`).length

beforeEach(() => {
  asked.length = 0
  answers.clear()
  answers.set('/api/v1/packages', () => Response.json([row('bad', 'bad.gpkg'), row('away', 'away.mbtiles')]))
})

it('a file that the node cannot read is asked for once, one that it does not give again and again', async () => {
  answers.set('/tiles/bad', refused(422))
  answers.set('/tiles/away', refused(503))
  await look()
  expect([about('bad'), about('away')]).toEqual([1, 3])
  expect(sayings.value.get('bad')).toEqual({ key: 'ownMaps.fault.other', words: { name: 'bad.gpkg', reason: 'no tile' } })
})

it('an archive that is none is a fault of the file, a node that is away is not', async () => {
  const url = 'http://node/file'
  answers.set(url, () => new Response('no map at all '.repeat(100), { status: 206 }))
  await expect(readArchive(new FetchSource(url))).rejects.toBeInstanceOf(MapFault)
  answers.set(url, refused(503))
  await expect(readArchive(new FetchSource(url))).rejects.not.toBeInstanceOf(MapFault)
})
