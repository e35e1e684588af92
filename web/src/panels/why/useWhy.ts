/** Why the selected track is one, read every few seconds while it is looked at. */
import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue'
import type { WhyTrack } from '../../api.generated'
import { api, ApiError } from '../../api/client'
import { useDesk } from '../../store/desk'
import { mayBeFused } from './acts'

/** As often as the details beside it. */
const EVERY_MS = 5000

export function useWhy() {
  const desk = useDesk()
  const why = shallowRef<WhyTrack | null>(null)
  /** Why it could not be read; null when it was, and where there is nothing to read. */
  const failed = shallowRef<ApiError | null>(null)
  const error = computed(() => failed.value?.reason ?? null)
  /** Does somebody look at it? Nothing is read for a section that is folded. */
  const open = ref(true)

  async function read(): Promise<void> {
    const id = desk.selected.value
    if (!id || !open.value || desk.past.value || !mayBeFused(desk, id)) return
    try {
      const answer = await api.whyTrack(id)
      if (desk.selected.value !== id || desk.past.value) return
      failed.value = null
      why.value = answer.members.length ? answer : null
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem
      if (desk.selected.value !== id) return
      why.value = null
      failed.value = problem
    }
  }
  watch(
    [desk.selected, desk.past],
    () => {
      why.value = null
      failed.value = null
      void read()
    },
    { immediate: true },
  )
  watch(open, () => void read())
  const timer = setInterval(() => void read(), EVERY_MS)
  onScopeDispose(() => clearInterval(timer))
  /** Is there anything to say of the selection, now or once it is read? */
  const is_track = computed(() => {
    void desk.tick.value
    const id = desk.selected.value
    return id !== null && mayBeFused(desk, id)
  })
  return { why, error, open, is_track, again: read }
}
