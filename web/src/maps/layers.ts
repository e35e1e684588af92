/** Own maps as sources and layers of the map engine, over the shipped land and under everything of ours. */
import type * as maplibre from 'maplibre-gl'

export interface OwnMap {
  hash: string
  /** Of a PMTiles archive; null: the node gives single tiles. */
  url: string | null
  /** Names of vector layers; null: pictures. */
  layers: string[] | null
  min_zoom: number
  max_zoom: number
  /** West, south, east, north in degrees; null: not said. */
  bounds: [number, number, number, number] | null
  attribution: string
}
export interface Colours {
  line: string
  fill: string
  /** Pictures are darkened, for eyes that must stay used to the dark. */
  dim: boolean
}
/** Of a picture at night: its brightest, and how much of its colour is left. */
const DIM = { 'raster-brightness-max': 0.28, 'raster-saturation': -0.75 }
/** More vector layers than this of one file are not drawn. */
const LAYERS_MAX = 40
const PREFIX = 'own-'

function source(own: OwnMap): maplibre.SourceSpecification {
  const type = own.layers ? 'vector' : 'raster'
  const size = own.layers ? {} : { tileSize: 256 }
  if (own.url) return { type, url: own.url, ...size } as maplibre.SourceSpecification
  const tiles = [`${location.origin}/tiles/${own.hash}/{z}/{x}/{y}`]
  return { type, tiles, minzoom: own.min_zoom, maxzoom: own.max_zoom, ...(own.bounds ? { bounds: own.bounds } : {}), ...size } as maplibre.SourceSpecification
}

function layersOf(own: OwnMap & { opacity: number }, id: string, colours: Colours): maplibre.LayerSpecification[] {
  if (!own.layers) return [{ id, type: 'raster', source: id, paint: { 'raster-opacity': own.opacity, 'raster-fade-duration': 0, ...(colours.dim ? DIM : {}) } }]
  return own.layers.slice(0, LAYERS_MAX).flatMap((name, n): maplibre.LayerSpecification[] => [
    { id: `${id}-${n}-area`, type: 'fill', source: id, 'source-layer': name, filter: ['==', ['geometry-type'], 'Polygon'], paint: { 'fill-color': colours.fill, 'fill-opacity': 0.25 * own.opacity } },
    { id: `${id}-${n}-line`, type: 'line', source: id, 'source-layer': name, filter: ['!=', ['geometry-type'], 'Point'], paint: { 'line-color': colours.line, 'line-width': 1, 'line-opacity': 0.8 * own.opacity } },
    { id: `${id}-${n}-point`, type: 'circle', source: id, 'source-layer': name, filter: ['==', ['geometry-type'], 'Point'], paint: { 'circle-color': colours.line, 'circle-radius': 2.5, 'circle-opacity': own.opacity } },
  ])
}

/** Puts these maps, the lowest first, in the place of those that are there. `before` is the first layer that lies over them. */
export function drawOwnMaps(map: maplibre.Map, maps: readonly (OwnMap & { opacity: number })[], before: string, colours: Colours): void {
  for (const id of map.getLayersOrder()) if (id.startsWith(PREFIX)) map.removeLayer(id)
  const wanted = new Set(maps.map((own) => PREFIX + own.hash))
  for (const id of Object.keys(map.getStyle().sources)) if (id.startsWith(PREFIX) && !wanted.has(id)) map.removeSource(id)
  for (const own of maps) {
    const id = PREFIX + own.hash
    if (!map.getSource(id)) map.addSource(id, source(own))
    for (const layer of layersOf(own, id, colours)) map.addLayer(layer, before)
  }
}
