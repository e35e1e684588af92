/** Whose sources are whose: nations of devices, and of whoever asks; read when somebody filters by nation. */
import { shallowRef } from 'vue'
import { api, ApiError } from '../api/client'
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
  index.nations = found
  nations_version.value++
}
