/**
 * Writes web/public/maps/places.json, the towns of the shipped base map for the find box.
 *
 * Run after base.pmtiles was renewed: node web/dev/places.mjs
 */
import { open, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { VectorTile } from '@mapbox/vector-tile'
import { PbfReader } from 'pbf'
import { PMTiles } from 'pmtiles'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const ZOOM = 6

class DiskSource {
  constructor(file, path) {
    this.file = file
    this.path = path
  }
  getKey() {
    return this.path
  }
  async getBytes(offset, length) {
    const bytes = Buffer.alloc(length)
    await this.file.read(bytes, 0, length, offset)
    return { data: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + length) }
  }
}

const path = here('../public/maps/base.pmtiles')
const file = await open(path)
const tiles = new PMTiles(new DiskSource(file, path))
const found = new Map()
for (let x = 0; x < 2 ** ZOOM; x++) {
  for (let y = 0; y < 2 ** ZOOM; y++) {
    const tile = await tiles.getZxy(ZOOM, x, y)
    const layer = tile && new VectorTile(new PbfReader(new Uint8Array(tile.data))).layers.place
    for (let i = 0; layer && i < layer.length; i++) {
      const one = layer.feature(i)
      const [lon_deg, lat_deg] = one.toGeoJSON(x, y, ZOOM).geometry.coordinates
      const { name, cc, pop } = one.properties
      // Tiles overlap a little: the same town may stand in two of them.
      found.set(`${name}|${cc}|${lat_deg.toFixed(1)}|${lon_deg.toFixed(1)}`, [name, cc, pop, lat_deg, lon_deg])
    }
  }
}
await file.close()
const rows = [...found.values()].sort((a, b) => b[2] - a[2] || (a[0] < b[0] ? -1 : 1))
const column = (at, turn = (value) => value) => rows.map((row) => turn(row[at]))
const thousandth = (value) => Math.round(value * 1000) / 1000
const places = { name: column(0), cc: column(1), lat_deg: column(3, thousandth), lon_deg: column(4, thousandth) }
await writeFile(here('../public/maps/places.json'), JSON.stringify(places))
console.log(`${rows.length} places`)
