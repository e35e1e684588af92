/** Named moments, kept on this machine. */

export interface Bookmark {
  name: string
  at_ms: number
}
export const BOOKMARKS_MAX = 100
const KEY = 'aquila.bookmarks'

/** What was kept; what is not a bookmark is left out. */
export function readBookmarks(storage: Pick<Storage, 'getItem'>): readonly Bookmark[] {
  let kept: unknown
  try {
    kept = JSON.parse(storage.getItem(KEY) ?? '[]')
  } catch {
    return []
  }
  if (!Array.isArray(kept)) return []
  return kept.flatMap((one: Partial<Bookmark> | null) =>
    typeof one?.name === 'string' && Number.isFinite(one.at_ms) ? [{ name: one.name.slice(0, 80), at_ms: one.at_ms! }] : [],
  )
}

/** Keeps the newest; answers what is kept, in order of time. */
export function writeBookmarks(storage: Pick<Storage, 'setItem'>, marks: readonly Bookmark[]): readonly Bookmark[] {
  const kept = marks.slice(-BOOKMARKS_MAX).sort((a, b) => a.at_ms - b.at_ms)
  storage.setItem(KEY, JSON.stringify(kept))
  return kept
}
