/** Coverage from the palette. */
import type { Action } from '../shell/action'
import type { Shell } from '../shell/shell'
import { beam, castRadarShadow, castShadow, origin, showsLooks } from './state'

function motionOf(shell: Shell) {
  const id = shell.desk.selected.value
  const h = id === null ? null : shell.desk.tracks.handleOf(id)
  const place = h === null ? null : shell.desk.tracks.motion(h)
  return h === null || !place ? null : { place, name: shell.desk.tracks.meta[h]?.name ?? '' }
}
/** The middle of what is seen. */
export function middleOf(shell: Shell) {
  const box = shell.map.value?.bounds?.() ?? null
  return box && { lat_deg: (box[1] + box[3]) / 2, lon_deg: ((((box[0] + box[2]) / 2 + 540) % 360) + 360) % 360 - 180 }
}

export const COVERAGE_ACTIONS: readonly Action[] = [
  {
    id: 'coverage.looks',
    title: 'coverage.toggle',
    section: 'map',
    keys: ['shift+v'],
    run: () => (showsLooks.value = !showsLooks.value),
    python: (shell) => {
      const box = shell.map.value?.bounds?.()
      return box ? `node.coverage(bbox="${box.map((value) => value.toFixed(4)).join(',')}")` : null
    },
  },
  {
    id: 'coverage.selected',
    title: 'coverage.ofSelected',
    section: 'map',
    when: (shell) => motionOf(shell) !== null,
    run: (shell) => {
      const found = motionOf(shell)
      if (found) castShadow(found.place, found.name)
    },
  },
  {
    id: 'coverage.middle',
    title: 'coverage.ofMiddle',
    section: 'map',
    when: (shell) => Boolean(shell.map.value?.bounds?.()),
    run: (shell) => {
      const place = middleOf(shell)
      if (place) castShadow(place)
    },
    python: (shell) => {
      const place = middleOf(shell)
      return place && `node.shadow(lat_deg=${place.lat_deg.toFixed(4)}, lon_deg=${place.lon_deg.toFixed(4)}, height_m=${beam.value.height_m}, range_m=${beam.value.range_m})`
    },
  },
  {
    id: 'coverage.radars',
    title: 'coverage.ofRadars',
    section: 'map',
    run: castRadarShadow,
    python: () => `node.radar_shadow(height_m=${beam.value.height_m}, range_m=${beam.value.range_m})`,
  },
  { id: 'coverage.off', title: 'coverage.noShadow', section: 'map', when: () => origin.value !== null, run: () => (origin.value = null) },
]
