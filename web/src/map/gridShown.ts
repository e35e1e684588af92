/** Whether the map shows the UTM and MGRS grid; kept on this machine. */
import { ref } from 'vue'

const KEY = 'aquila.grid'
export const showsGrid = ref(localStorage.getItem(KEY) === 'on')

export function toggleGrid(): void {
  showsGrid.value = !showsGrid.value
  localStorage.setItem(KEY, showsGrid.value ? 'on' : 'off')
}
