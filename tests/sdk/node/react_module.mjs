// React comes as a script; the SDK's hooks import a module.
export default globalThis.React
export const { createContext, createElement, useCallback, useContext, useEffect, useMemo, useRef, useState } = globalThis.React
