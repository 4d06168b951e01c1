import { useSyncExternalStore } from "react";
import { Notice } from "./Notice";

function subscribe(changed: () => void): () => void {
  window.addEventListener("online", changed);
  window.addEventListener("offline", changed);
  return () => {
    window.removeEventListener("online", changed);
    window.removeEventListener("offline", changed);
  };
}

export function OfflineNotice() {
  const online = useSyncExternalStore(subscribe, () => navigator.onLine);
  if (online) return null;
  return (
    <Notice tone="warn" title="You are offline">
      <p>You can go on as soon as your connection is back.</p>
    </Notice>
  );
}
