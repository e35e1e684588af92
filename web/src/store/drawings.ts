/** Drawings of the picture as one GeoJSON collection for the map. */
import type { Feature, FeatureCollection } from 'geojson'
import { AGE_OPACITY } from '../time/age'
import type { TrackStore } from './tracks'

export function drawingsOf(
  store: TrackStore,
  selected: number | null,
  now_ms: number,
): FeatureCollection {
  const features: Feature[] = []
  store.meta.forEach((meta, h) => {
    if (!meta?.geometry || meta.geometry.type === 'Point') return
    features.push({
      type: 'Feature',
      geometry: meta.geometry,
      properties: {
        h,
        name: meta.name,
        affiliation: meta.affiliation,
        selected: h === selected,
        opacity: AGE_OPACITY[store.age(h, now_ms)],
      },
    })
  })
  return { type: 'FeatureCollection', features }
}
