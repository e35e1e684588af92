/** The tracks that the filter lets through, and how many of each age; the list and the table share them. */
import { useShell } from '../shell/shell'

export function useTracks() {
  const { unread, found, counts, shown } = useShell().tracks
  return { unread, found, counts, shown }
}
