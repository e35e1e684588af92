/** Rows that are read again every few seconds, as long as whoever shows them is on the screen. */
import { computed, onScopeDispose, shallowRef, type ComputedRef, type ShallowRef } from 'vue'
import { ApiError } from '../api/client'
import { useDesk } from '../store/desk'
import { oneAtATime } from './oneAtATime'

export interface Polled<T> {
  value: ShallowRef<T | null>
  /** Why the last reading failed; null when it worked. */
  error: ComputedRef<string | null>
  again: () => Promise<void>
}

export function usePolled<T>(read: () => Promise<T>, every_ms = 3000): Polled<T> {
  const desk = useDesk()
  const value = shallowRef<T | null>(null)
  const failed = shallowRef<ApiError | null>(null)
  const error = computed(() => failed.value?.reason ?? null)
  let timer: ReturnType<typeof setTimeout> | undefined
  let over = false

  const again = oneAtATime(async () => {
    clearTimeout(timer)
    if (over) return
    try {
      const answer = await read()
      if (over) return
      value.value = answer
      failed.value = null
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem
      if (over) return
      if (problem.status === 401) desk.login_needed.value = true
      failed.value = problem
    }
    timer = setTimeout(() => void beat(), every_ms)
  })
  /** A hidden page asks nothing; it looks again when it is seen. */
  async function beat(): Promise<void> {
    if (document.visibilityState === 'visible') await again()
    else timer = setTimeout(() => void beat(), every_ms)
  }
  onScopeDispose(() => {
    over = true
    clearTimeout(timer)
  })
  void again()
  return { value, error, again }
}
