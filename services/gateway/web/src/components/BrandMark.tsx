import { Mark } from "@look/Mark";
import { useState } from "react";
import { Link } from "react-router";
import { useBrand } from "../brand";
import classes from "./Shell.module.css";

export function BrandMark() {
  const brand = useBrand();
  const [isBroken, setBroken] = useState(false);
  return (
    <Link to="/" className={classes.brand}>
      {brand.logo_url && !isBroken ? (
        <img className={classes.logo} src={brand.logo_url} alt="" onError={() => setBroken(true)} />
      ) : (
        <Mark />
      )}
      <span>{brand.name}</span>
    </Link>
  );
}
