/** Who is shown by somebody else: members of fused tracks have no symbol of their own while the track is believed. */
import type { TrackStore } from '../store/tracks'

/** Handles of fused tracks: few among many, and others only when names change. */
export function fusedTracks(store: TrackStore): number[] {
  const found: number[] = []
  store.meta.forEach((meta, h) => {
    if (meta?.members?.length) found.push(h)
  })
  return found
}

/** Ids of entities that a fused track stands for. A track that is stale stands for nobody. */
export function membersOf(store: TrackStore, now_ms: number, tracks: readonly number[] = fusedTracks(store)): Set<string> {
  const found = new Set<string>()
  for (const h of tracks) {
    const meta = store.meta[h]
    if (!meta?.members || store.age(h, now_ms) === 'stale') continue
    for (const id of meta.members) if (id !== meta.id) found.add(id)
  }
  return found
}
