/** Where a first look goes: what there is, without the few that lie far from all others. */
import type { TrackStore } from '../store/tracks'

/** So large a part of the picture says how far "near" is. */
const NEAR_SHARE = 0.9
/** Farther than so many times that is far. */
const FAR_TIMES = 2.5
/** Among fewer nobody is far from all others. */
const CROWD_MIN = 5

const middle = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]

/**
 * West, south, east, north in degrees of what lies together; null when nothing is placed. One ship an ocean away would
 * make the rest a dot on a phone. Who is in need is never left out.
 */
export function gatheredBounds(store: TrackStore): [number, number, number, number] | null {
  const handles: number[] = []
  for (let h = 0; h < store.size; h++) if (store.placed[h] && store.meta[h]) handles.push(h)
  if (handles.length < CROWD_MIN) return store.bounds()
  const { lat_deg, lon_deg } = store
  const [lat, lon] = [middle(handles.map((h) => lat_deg[h])), middle(handles.map((h) => lon_deg[h]))]
  const wide = Math.cos((lat * Math.PI) / 180)
  const off = (h: number) => Math.hypot(lat_deg[h] - lat, (lon_deg[h] - lon) * wide)
  const offs = handles.map(off).sort((a, b) => a - b)
  const limit = FAR_TIMES * offs[Math.floor(NEAR_SHARE * (offs.length - 1))]
  return store.bounds((h) => off(h) <= limit || Boolean(store.meta[h]?.emergency))
}
