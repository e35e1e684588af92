/** The posts of who sits here: asked when the page opens, and whenever one is taken over or left. */
import { ref, shallowRef, watch, type Ref, type ShallowRef } from 'vue'
import { call } from '../../api/client'
import type { MyDesk } from '../../api.generated'
import type { Shell } from '../../shell/shell'
import type { Desk } from '../../store/desk'
import { perDesk } from '../../store/perDesk'

const KEPT = 'aquila.post'

export interface RoleDesk {
  mine: ShallowRef<MyDesk | null>
  /** The post whose home is shown; empty: the one held longest. */
  post: Ref<string>
  again: () => Promise<void>
}

/** One for the page. */
export const roleDeskOf = perDesk((desk): RoleDesk => {
  const mine = shallowRef<MyDesk | null>(null)
  const post = ref(localStorage.getItem(KEPT) ?? '')
  async function again(): Promise<void> {
    await desk.attempt(async () => {
      const read = async () => call<MyDesk>('GET', `/home/desk?${new URLSearchParams({ post: post.value })}`)
      let answer = await read()
      // A post that is not held any more is nobody's home.
      if (post.value && !answer.held.some((one) => one.post === post.value)) {
        post.value = ''
        answer = await read()
      }
      mine.value = answer
    })
  }
  return { mine, post, again }
})

/** What is open first follows the post: workspaces in its order, and the home for who has just come in with one. */
export function followPost(desk: Desk, shell: Shell): void {
  const { mine, post, again } = roleDeskOf(desk)
  // By the node's clock: that of this machine may be a day ahead.
  let seen_ms = 0
  watch(
    () => desk.me.value !== null && !desk.login_needed.value,
    (is_in) => void (is_in && again()),
    { immediate: true },
  )
  watch(post, (now) => {
    localStorage.setItem(KEPT, now)
    void again()
  })
  watch(desk.entries, (now) => {
    if (now.slice(-20).some((entry) => entry.kind === 'paper' && entry.body?.type?.startsWith('roles.') && entry.received_at_ms > seen_ms)) {
      seen_ms = now.at(-1)?.received_at_ms ?? seen_ms
      void again()
    }
  })
  watch(mine, (now, before) => {
    shell.first.value = now?.panels ?? []
    if (!before && now?.held.length && !shell.phone.value) shell.left.value = 'home'
  })
}
