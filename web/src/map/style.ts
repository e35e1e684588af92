/** The quiet base map: offline vector tiles and relief, in the colours of the theme. */
import type { ExpressionSpecification, LayerSpecification, Map as EngineMap, StyleSpecification } from 'maplibre-gl'
import type { Feature, Polygon } from 'geojson'

import type { Theme } from '../shell/theme'

export type { Theme }

export const COLOURS = {
  dark: {
    water: '#0B1622',
    land: '#1B2733',
    border: '#5D7288',
    admin1: '#2D3C4B',
    river: '#1E3C58',
    country: '#8FA3B7',
    place: '#B4C3D2',
    halo: '#0F1822',
    shadow: '#070C12',
    light: '#50667D',
    accent: '#16202B',
  },
  day: {
    water: '#C9DCEA',
    land: '#F4F1EA',
    border: '#8A7F76',
    admin1: '#D5CDC3',
    river: '#9CC3DE',
    country: '#5B6774',
    place: '#33414F',
    halo: '#FFFFFF',
    shadow: '#6B6256',
    light: '#FFFFFF',
    accent: '#D9D2C4',
  },
  night: {
    water: '#070101',
    land: '#140606',
    border: '#5A2018',
    admin1: '#2C0E0A',
    river: '#2A0A08',
    country: '#A84A3C',
    place: '#D0604E',
    halo: '#0A0202',
    shadow: '#050000',
    light: '#3A1510',
    accent: '#1C0805',
  },
} as const

/** The terrain's box, inset so that no repeated edge pixel is inside. */
const RELIEF = { west: 66.35, south: 36.5, east: 84.25, north: 44.5 }
const FADE_STEPS = 14
const FADE_DEG = 1.1

/**
 * Frames of land colour round the relief. Together they fade it out to nothing at the edge of its
 * box, where the tiles repeat their last pixel and would draw long streaks.
 */
function reliefMask(): Feature<Polygon>[] {
  const outer = { west: 50, south: 28, east: 96, north: 56 }
  const box = (b: typeof outer): [number, number][] => [
    [b.west, b.south],
    [b.east, b.south],
    [b.east, b.north],
    [b.west, b.north],
    [b.west, b.south],
  ]
  const frames: Feature<Polygon>[] = []
  for (let step = 0; step <= FADE_STEPS; step++) {
    const inset = (FADE_DEG * step) / FADE_STEPS
    const hole = box({
      west: RELIEF.west + inset * 1.3,
      south: RELIEF.south + inset,
      east: RELIEF.east - inset * 1.3,
      north: RELIEF.north - inset,
    }).reverse()
    frames.push({
      type: 'Feature',
      properties: { solid: step === 0 },
      geometry: { type: 'Polygon', coordinates: [box(outer), hole] },
    })
  }
  return frames
}

function localName(locale: string): ExpressionSpecification {
  return ['coalesce', ['get', `name_${locale}`], ['get', 'name_en'], ['get', 'name']]
}

/** The layer under which nothing of ours is drawn. */
export const FIRST_LABEL_LAYER = 'country'

export function mapStyle(theme: Theme, locale: string, origin: string): StyleSpecification {
  const c = COLOURS[theme]
  const font = ['Inter Variable']
  return {
    version: 8,
    // A look is there at once.
    transition: { duration: 0, delay: 0 },
    sources: {
      base: { type: 'vector', url: `pmtiles://${origin}/maps/base.pmtiles` },
      dem: {
        type: 'raster-dem',
        url: `pmtiles://${origin}/maps/dem.pmtiles`,
        encoding: 'terrarium',
        tileSize: 256,
      },
      mask: { type: 'geojson', data: { type: 'FeatureCollection', features: reliefMask() } },
    },
    layers: [
      { id: 'water', type: 'background', paint: { 'background-color': c.water } },
      {
        id: 'land',
        type: 'fill',
        source: 'base',
        'source-layer': 'land',
        paint: { 'fill-color': c.land },
      },
      {
        id: 'relief',
        type: 'hillshade',
        source: 'dem',
        minzoom: 5,
        paint: {
          'hillshade-exaggeration': ['interpolate', ['linear'], ['zoom'], 5, 0.28, 8, 0.34, 11, 0.42],
          'hillshade-shadow-color': c.shadow,
          'hillshade-highlight-color': c.light,
          'hillshade-accent-color': c.accent,
        },
      },
      {
        id: 'relief-mask',
        type: 'fill',
        source: 'mask',
        minzoom: 5,
        paint: {
          'fill-color': c.land,
          'fill-opacity': ['case', ['get', 'solid'], 1, 0.24],
          'fill-antialias': false,
        },
      },
      {
        id: 'lake',
        type: 'fill',
        source: 'base',
        'source-layer': 'lake',
        paint: { 'fill-color': c.water },
      },
      {
        id: 'river',
        type: 'line',
        source: 'base',
        'source-layer': 'river',
        paint: {
          'line-color': c.river,
          'line-width': ['interpolate', ['linear'], ['zoom'], 3, 0.6, 8, 1.6],
        },
      },
      {
        id: 'admin1',
        type: 'line',
        source: 'base',
        'source-layer': 'admin1',
        paint: { 'line-color': c.admin1, 'line-dasharray': [3, 2] },
      },
      {
        id: 'border',
        type: 'line',
        source: 'base',
        'source-layer': 'border',
        paint: {
          'line-color': c.border,
          'line-width': ['interpolate', ['linear'], ['zoom'], 0, 0.6, 8, 1.6],
          'line-opacity': 0.8,
        },
      },
      {
        id: 'country',
        type: 'symbol',
        source: 'base',
        'source-layer': 'country',
        maxzoom: 8,
        layout: {
          'text-field': localName(locale),
          'text-font': font,
          'text-size': ['interpolate', ['linear'], ['zoom'], 1, 10, 6, 15],
          'text-transform': 'uppercase',
          'text-letter-spacing': 0.12,
          'text-max-width': 8,
          'symbol-sort-key': ['get', 'rank'],
        },
        paint: { 'text-color': c.country, 'text-halo-color': c.halo, 'text-halo-width': 1.2 },
      },
      {
        id: 'place',
        type: 'symbol',
        source: 'base',
        'source-layer': 'place',
        minzoom: 4,
        layout: {
          'text-field': ['get', 'name'],
          'text-font': font,
          'text-size': ['interpolate', ['linear'], ['zoom'], 4, 10.5, 10, 14],
          'symbol-sort-key': ['-', ['get', 'pop']],
          'text-padding': 6,
        },
        paint: { 'text-color': c.place, 'text-halo-color': c.halo, 'text-halo-width': 1.2 },
      },
    ],
  }
}

/** Gives layers of a map the colours, texts and visibility that these have; those that it lacks are left out. */
export function repaint(map: EngineMap, layers: readonly LayerSpecification[]): void {
  for (const layer of layers) {
    if (!map.getLayer(layer.id)) continue
    const { paint, layout } = layer as { paint?: object; layout?: object }
    for (const [name, value] of Object.entries(paint ?? {})) map.setPaintProperty(layer.id, name as never, value as never)
    for (const [name, value] of Object.entries(layout ?? {})) map.setLayoutProperty(layer.id, name as never, value as never)
  }
}
