/** A list that others write to stands still while somebody is about to press in it. */
import { computed, onScopeDispose, ref, type ComputedRef } from 'vue'

/** So long after the pointer last moved: one that only lies there holds back no call for help. */
export const HELD_MS = 2000

export interface HeldRow<T> {
  key: string
  row: T
  /** No longer in the list, but still in its place: nothing else moves under the pointer. */
  gone: boolean
  /** Came while the list was held: at its end. */
  late: boolean
}

const free = <T>(now: readonly T[], keyOf: (row: T) => string) => now.map((row): HeldRow<T> => ({ key: keyOf(row), row, gone: false, late: false }))

/** The rows in the places that they had, each as it is now; what is new comes last. */
export function heldRows<T>(before: readonly HeldRow<T>[], now: readonly T[], keyOf: (row: T) => string): HeldRow<T>[] {
  const left = new Map(now.map((row) => [keyOf(row), row]))
  const kept = before.map((one): HeldRow<T> => {
    const row = left.get(one.key)
    left.delete(one.key)
    return row === undefined ? { ...one, gone: true } : { ...one, row, gone: false }
  })
  return [...kept, ...free([...left.values()], keyOf).map((one) => ({ ...one, late: true }))]
}

/**
 * Holds the rows of a list while the pointer moves over it.
 *
 * @param keyOf no two rows of one list have the same
 * @returns the rows; `on`, the listeners of the part of the page that is watched; `let_go`, for after a press in the list:
 *   what somebody did is seen at once
 */
export function useHeld<T>(now: () => readonly T[], keyOf: (row: T) => string) {
  const is_held = ref(false)
  let timer: ReturnType<typeof setTimeout> | undefined
  function let_go(): void {
    clearTimeout(timer)
    is_held.value = false
  }
  function hold(): void {
    clearTimeout(timer)
    timer = setTimeout(let_go, HELD_MS)
    is_held.value = true
  }
  onScopeDispose(let_go)
  const rows: ComputedRef<HeldRow<T>[]> = computed((before?: HeldRow<T>[]) => (is_held.value && before ? heldRows(before, now(), keyOf) : free(now(), keyOf)))
  return { rows, is_held, let_go, on: { pointermove: hold, pointerdown: hold, pointerleave: let_go } }
}
