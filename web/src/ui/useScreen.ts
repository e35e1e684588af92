/** Whether the page is on a phone, as a ref that follows the window. */
import { onScopeDispose, ref, type Ref } from 'vue'

export const PHONE = '(max-width: 820px)'

/** For the life of the page. */
export function watchPhone(): Ref<boolean> {
  const query = window.matchMedia(PHONE)
  const phone = ref(query.matches)
  query.addEventListener('change', () => (phone.value = query.matches))
  return phone
}

export function usePhone(): Ref<boolean> {
  const query = window.matchMedia(PHONE)
  const phone = ref(query.matches)
  const follow = () => (phone.value = query.matches)
  query.addEventListener('change', follow)
  onScopeDispose(() => query.removeEventListener('change', follow))
  return phone
}
