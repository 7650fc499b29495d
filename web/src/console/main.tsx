// The console: agents work on tickets here.
import "../ui/theme.css";
import { BrowserRouter, Navigate, Route, Routes } from "react-router";
import { startPage } from "../app/root";
import { SignInGate } from "../app/sign-in";
import { Desk } from "./Desk";

startPage(
  <BrowserRouter>
    <SignInGate title="Tandem" welcome="Sign in to your team's console.">
      <Routes>
        <Route path="/" element={<Desk />} />
        <Route path="/t/:ticketId" element={<Desk />} />
        <Route path="*" element={<Navigate to="/" replace />} />
      </Routes>
    </SignInGate>
  </BrowserRouter>,
);
