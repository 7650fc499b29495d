// The portal: customers ask here and follow their tickets.
import "../ui/theme.css";
import { BrowserRouter, Navigate, Route, Routes } from "react-router";
import { startPage } from "../app/root";
import { SignInGate } from "../app/sign-in";
import { Frame } from "./Frame";
import { Ask } from "./scenes/Ask";
import { Conversation } from "./scenes/Conversation";
import { MyTickets } from "./scenes/MyTickets";

startPage(
  <BrowserRouter basename="/help">
    <SignInGate title="How can we help?" welcome="Sign in to ask a question or follow your tickets.">
      <Routes>
        <Route element={<Frame />}>
          <Route path="/" element={<MyTickets />} />
          <Route path="/new" element={<Ask />} />
          <Route path="/t/:ticketId" element={<Conversation />} />
        </Route>
        <Route path="*" element={<Navigate to="/" replace />} />
      </Routes>
    </SignInGate>
  </BrowserRouter>,
);
