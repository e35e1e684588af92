/** Whether crowded symbols are gathered, and into which unit's symbol: read from the order of battle, for the map. */
import { ref, shallowRef } from 'vue'
import type { UnitRow } from '../api.generated'
import { api, ApiError, call } from '../api/client'
import type { EntityDetail, TrackMeta } from '../api/types'
import { fold } from '../geo/fold'
import { sidcOfEchelon } from '../symbols/echelon'
import type { Group, GroupOf } from './cluster'

const KEY = 'aquila.gather'

/** Kept on this machine. */
export const gathering = ref(localStorage.getItem(KEY) !== 'off')
/** Grows when the units or who carries their trackers were read again. */
export const group_of = shallowRef<GroupOf | null>(null)

export function toggleGathering(): void {
  gathering.value = !gathering.value
  localStorage.setItem(KEY, gathering.value ? 'on' : 'off')
}

function groupOf({ unit }: UnitRow): Group {
  return { name: unit.short || unit.name, sidc: unit.sidc || sidcOfEchelon(unit.echelon), affiliation: 'friend' }
}

/** Entities of the units under one parent, with that parent; a parent's own tracker goes with its children. */
export function groupsOf(units: readonly UnitRow[], rows: readonly Pick<EntityDetail, 'id' | 'name' | 'aliases'>[]): Map<string, Group> {
  const entity = new Map<string, string>()
  for (const row of rows) {
    entity.set(`name:${fold(row.name ?? '')}`, row.id)
    for (const alias of row.aliases ?? []) entity.set(`${alias.scheme}:${alias.value}`, row.id)
  }
  const parents = new Set(units.flatMap((row) => row.parent?.unit ?? []))
  const groups = new Map(units.filter((row) => parents.has(row.id)).map((row) => [row.id, groupOf(row)]))
  const found = new Map<string, Group>()
  for (const row of units) {
    const group = groups.get(row.id) ?? groups.get(row.parent?.unit ?? '')
    if (!group) continue
    const keys = [...(row.unit.trackers ?? []), ...[...(row.unit.callsigns ?? []), row.unit.name].map((name) => `name:${fold(name)}`)]
    for (const key of keys) {
      const id = entity.get(key)
      if (id) found.set(id, group)
    }
  }
  return found
}

/** Reads who belongs to whom; what was known stays when the node does not answer. */
export async function readGroups(): Promise<void> {
  try {
    const units = await call<UnitRow[]>('GET', '/orbat')
    // Without an entered order of battle nobody has to ask for the entities.
    const known = units.length ? groupsOf(units, await api.entities('friend')) : new Map<string, Group>()
    group_of.value = known.size ? (meta: TrackMeta) => known.get(meta.id) : null
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
  }
}
