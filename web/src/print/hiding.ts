/** What a sheet does not show and what it says of that, the same for paper, PNG and briefs. */
import type { ComposerTranslation } from 'vue-i18n'
import { narrowedText } from '../brief/show'
import { drawingOf } from '../draw/session'
import type { MapAdapter } from '../map/port'
import type { Shell } from '../shell/shell'
import { trailsIn } from '../replay/trails'
import { drawingsOf, hiddenIds } from '../store/drawings'
import type { Hiding } from './compose'

/** `is_narrowed`: the filter of the lists narrows the map, too, as a step of a brief does. */
export function hidingOf(shell: Shell, is_narrowed: boolean, t: ComposerTranslation): Hiding {
  const look = drawingOf(shell.desk).look.value
  return {
    hidden: hiddenIds(look, is_narrowed ? shell.tracks.left_out.value : null),
    narrowed: is_narrowed ? narrowedText(shell, t) : null,
  }
}

/** Lays onto the map of a sheet what the screen's map shows: what people laid over it, and no more of the picture than it. */
export async function dressSheet(shell: Shell, map: MapAdapter, { hidden }: Hiding): Promise<void> {
  const { desk } = shell
  shell.map.value?.dress?.(map)
  map.setHidden(hidden)
  map.setDrawings(drawingsOf(desk.tracks, null, desk.now_ms.value, drawingOf(desk).look.value))
  // The screen's trails end where the screen does; a sheet shows more at two of its sides.
  const trails = await trailsIn(shell, map.bounds())
  if (trails) map.setTrails(trails)
}
