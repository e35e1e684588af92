/** Who is whose: nations of devices, of units by their callsigns, and of whoever asks; read when somebody filters. */
import { shallowRef } from 'vue'
import type { UnitRow } from '../api.generated'
import { api, ApiError, call } from '../api/client'
import type { Me } from '../api/types'
import type { TrackIndex } from './search'

/** Grows with every reading, so that what is shown is filtered again. */
export const nations_version = shallowRef(0)

/** A role that may not see devices knows its own nation only. */
export async function readNations(index: TrackIndex, me: Me | null): Promise<void> {
  const found = new Map<string, string>()
  if (me?.principal.nation) found.set(me.principal.id, me.principal.nation)
  try {
    for (const { name, nation } of await api.devices()) if (nation) found.set(`device:${name}`, nation)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
  }
  const called = new Map<string, string>()
  try {
    for (const { unit } of await call<UnitRow[]>('GET', '/orbat')) if (unit.nation) for (const callsign of unit.callsigns ?? []) called.set(callsign, unit.nation)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
  }
  index.nations = found
  index.called = called
  nations_version.value++
}
