/**
 * What is laid over the base map as lines, areas and texts: drawings, circles of doubt, trails, the grid.
 *
 * They live in the style of the map; `add` puts them into one that comes, and their layers say how they look.
 */
import type * as maplibre from 'maplibre-gl'
import type { FeatureCollection } from 'geojson'
import type { SceneTheme } from './seen'
import { FIRST_LABEL_LAYER, type Theme } from './style'

const OVERLAYS = ['drawings', 'doubt', 'trails', 'trail', 'grid'] as const
export type Overlay = (typeof OVERLAYS)[number]
export const EMPTY: FeatureCollection = { type: 'FeatureCollection', features: [] }

export const LOOKS: Record<Theme, SceneTheme> = {
  dark: {
    label: '#F2F6FA',
    plate: 'rgba(9, 15, 22, 0.78)',
    accent: '#4AA8FF',
    alarm: '#FF5C5C',
    on_tone: '#0B1118',
  },
  day: {
    label: '#15202B',
    plate: 'rgba(255, 255, 255, 0.86)',
    accent: '#0A63C2',
    alarm: '#C42020',
    on_tone: '#FFFFFF',
  },
  night: {
    label: '#FF8A75',
    plate: 'rgba(18, 5, 5, 0.82)',
    accent: '#FF6A50',
    alarm: '#FF3B2B',
    on_tone: '#120505',
    dim: true,
  },
}
/** Colours of lines and areas: bright on dark ground, deep on light ground, pale for no side. */
export const DRAWN: Record<Theme, Record<string, string>> = {
  dark: { friend: '#80E0FF', hostile: '#FF8080', neutral: '#AAFFAA', other: '#A9BACB' },
  day: { friend: '#00668F', hostile: '#B81D1D', neutral: '#1B7030', other: '#3D4C5C' },
  night: { friend: '#4E6E78', hostile: '#A8382E', neutral: '#5C7050', other: '#7A4A40' },
}
/** What a drawing brings its own colour for: with white in it where the ground is dark; at night it stays dim. */
function ownColour(theme: Theme, name: 'stroke' | 'fill'): maplibre.ExpressionSpecification {
  if (theme === 'night') return drawnColour(theme)
  if (name === 'fill') return ['coalesce', ['get', 'fill'], ['get', 'stroke'], drawnColour(theme)]
  return theme === 'dark' ? ['coalesce', ['get', 'on_dark'], ['get', 'stroke'], drawnColour(theme)] : ['coalesce', ['get', 'stroke'], drawnColour(theme)]
}
function drawnColour(theme: Theme): maplibre.ExpressionSpecification {
  const c = DRAWN[theme]
  const colour: maplibre.ExpressionSpecification = [
    'match',
    ['get', 'affiliation'],
    'friend',
    c.friend,
    'hostile',
    c.hostile,
    'neutral',
    c.neutral,
    c.other,
  ]
  return colour
}

/** How overlays are drawn in a look. A later one lies over an earlier one; texts lie over the names of the ground, the rest under them. */
export function overlayLayers(theme: Theme): maplibre.LayerSpecification[] {
  return [...drawingLayers(theme), ...pathLayers(theme), ...gridLayers(theme)]
}

type Line = maplibre.LineLayerSpecification
const ROUND: Line['layout'] = { 'line-join': 'round', 'line-cap': 'round' }
const IS_POINT: maplibre.ExpressionSpecification = ['==', ['geometry-type'], 'Point']
const IS_LINE: maplibre.ExpressionSpecification = ['==', ['geometry-type'], 'LineString']
const NO_POINT: maplibre.ExpressionSpecification = ['!=', ['geometry-type'], 'Point']
const NOT_INSIDE: maplibre.ExpressionSpecification = ['!', ['has', 'inside']]

function drawingLayers(theme: Theme): maplibre.LayerSpecification[] {
  const { label, plate } = LOOKS[theme]
  const source = 'drawings'
  return [
    {
      id: 'drawing-fill',
      type: 'fill',
      source,
      filter: ['==', ['geometry-type'], 'Polygon'],
      paint: { 'fill-color': ownColour(theme, 'fill'), 'fill-opacity': ['*', ['coalesce', ['get', 'fill_opacity'], 0.1], ['get', 'opacity']] },
    },
    {
      id: 'drawing-edge',
      type: 'line',
      source,
      filter: ['all', NO_POINT, NOT_INSIDE, ['==', ['get', 'pale'], true]],
      // A white phase line is not seen on a light map: it gets a dark edge there.
      layout: { ...ROUND, visibility: theme === 'day' ? 'visible' : 'none' },
      paint: { 'line-color': LOOKS.day.label, 'line-opacity': ['*', 0.7, ['get', 'opacity']], 'line-width': ['case', ['get', 'selected'], 5.5, 4] },
    },
    {
      id: 'drawing-line',
      type: 'line',
      source,
      filter: ['all', NO_POINT, NOT_INSIDE],
      layout: ROUND,
      paint: { 'line-color': ownColour(theme, 'stroke'), 'line-opacity': ['get', 'opacity'], 'line-width': ['case', ['get', 'selected'], 3.5, 2] },
    },
    {
      id: 'drawing-text',
      type: 'symbol',
      source,
      filter: ['has', 'label'],
      layout: {
        'text-field': ['get', 'label'],
        'text-font': ['Inter Variable'],
        'text-size': 13,
        'text-rotate': ['get', 'angle'],
        'text-rotation-alignment': 'map',
        'text-anchor': ['get', 'anchor'],
        'text-allow-overlap': true,
      },
      paint: { 'text-color': ['case', ['has', 'plain'], label, ownColour(theme, 'stroke')], 'text-halo-color': plate, 'text-halo-width': 2, 'text-opacity': ['get', 'opacity'] },
    },
  ]
}

/** Circles of doubt, and where things came from. */
function pathLayers(theme: Theme): maplibre.LayerSpecification[] {
  const { accent, on_tone } = LOOKS[theme]
  const colour = drawnColour(theme)
  const doubt: Line['paint'] = { 'line-color': colour, 'line-opacity': ['case', ['get', 'selected'], 0.9, 0.4], 'line-width': ['case', ['get', 'selected'], 1.6, 1], 'line-dasharray': [2, 2.5] }
  return [
    { id: 'doubt-line', type: 'line', source: 'doubt', paint: doubt },
    { id: 'trails-line', type: 'line', source: 'trails', layout: ROUND, paint: { 'line-color': colour, 'line-width': 1.5, 'line-opacity': 0.7 } },
    { id: 'trail-line', type: 'line', source: 'trail', filter: IS_LINE, layout: ROUND, paint: { 'line-color': accent, 'line-width': 2, 'line-opacity': 0.75 } },
    { id: 'trail-crumb', type: 'circle', source: 'trail', filter: IS_POINT, paint: { 'circle-radius': 3.2, 'circle-color': accent, 'circle-stroke-color': on_tone, 'circle-stroke-width': 1.2 } },
  ]
}

function gridLayers(theme: Theme): maplibre.LayerSpecification[] {
  const { label, plate } = LOOKS[theme]
  const source = 'grid'
  const is_heavy: maplibre.ExpressionSpecification = ['match', ['get', 'kind'], ['zone', 'tenth'], true, false]
  return [
    { id: 'grid-line', type: 'line', source, filter: IS_LINE, paint: { 'line-color': label, 'line-width': ['case', is_heavy, 1.4, 0.7], 'line-opacity': ['case', is_heavy, 0.4, 0.3] } },
    {
      id: 'grid-text',
      type: 'symbol',
      source,
      filter: ['has', 'label'],
      layout: {
        'text-field': ['get', 'label'],
        'text-font': ['Inter Variable'],
        'text-size': ['match', ['get', 'kind'], 'square', 15, 11],
        'text-anchor': ['get', 'anchor'],
        'text-offset': ['match', ['get', 'anchor'], 'left', ['literal', [0.4, 0]], 'bottom', ['literal', [0, -2.2]], ['literal', [0, 0]]],
        'text-allow-overlap': true,
        'text-ignore-placement': true,
      },
      paint: { 'text-color': label, 'text-opacity': ['match', ['get', 'kind'], 'square', 0.55, 0.9], 'text-halo-color': plate, 'text-halo-width': 1.5 },
    },
  ]
}

export class Overlays {
  private readonly data = new Map<Overlay, FeatureCollection>()
  /** What each shows, as text: the same again would be worked out and drawn again by the whole map. */
  private readonly shown = new Map<Overlay, string>()

  constructor(private readonly map: maplibre.Map) {}

  /** Are they in the style that is shown? */
  isUp(): boolean {
    return this.map.getSource('drawings') !== undefined
  }

  hasDrawings(): boolean {
    return this.dataOf('drawings').features.length > 0 && this.map.getLayer('drawing-line') !== undefined
  }

  /** Has an overlay show this, unless it shows it already. */
  put(name: Overlay, features: FeatureCollection): void {
    this.data.set(name, features)
    const source = this.map.getSource<maplibre.GeoJSONSource>(name)
    const text = JSON.stringify(features)
    if (!source || this.shown.get(name) === text) return
    this.shown.set(name, text)
    source.setData(features)
  }

  /** Puts those that are not there into the style that came. */
  add(theme: Theme): void {
    const { map } = this
    this.shown.clear()
    for (const name of OVERLAYS) if (!map.getSource(name)) map.addSource(name, { type: 'geojson', data: this.dataOf(name) })
    for (const layer of overlayLayers(theme)) {
      if (!map.getLayer(layer.id)) map.addLayer(layer, layer.type === 'symbol' ? undefined : FIRST_LABEL_LAYER)
    }
  }

  /** What it was given last, none: nothing. */
  dataOf(name: Overlay): FeatureCollection {
    return this.data.get(name) ?? EMPTY
  }
}
