//! Globex looks after machines at its customers' sites: printers, networks, cold rooms, tills.

use super::Story;

const PRINTERS: &[&str] = &["LX-40 label printer", "MF-720 copier", "LX-12 receipt printer", "plotter in the drawing office"];
const NETWORK: &[&str] =
    &["switch on the second floor", "warehouse access points", "VPN to the branch office", "firewall in Lyon"];
const COLD: &[&str] = &["cold room 2", "blast chiller", "deep freezer in the lab", "vaccine refrigerator"];
const TILLS: &[&str] = &["till 4", "self-checkout row", "card terminal at the bakery", "till in the garden centre"];

/// Its stories.
pub const GLOBEX: &[Story] = &[
    Story {
        category: "Printing",
        things: PRINTERS,
        detail: "asset P-####",
        titles: &["{thing} prints blank pages", "{thing} ({detail}) jams on every second job"],
        openings: &[
            "The {thing} feeds the paper but everything comes out blank. Two people tried, also from another computer. {detail}.",
            "We have cleared the same jam six times today. The {thing} says tray 2, but tray 2 is empty. Shipping is standing still.",
        ],
        questions: &[
            "I have you. Could you print the configuration page from the panel and read me the page count?",
            "does it also jam when you feed a single sheet by hand?",
        ],
        answers: &["Page count is 412 600. The configuration page prints fine!", "By hand it works. Only from the tray."],
        notes: &[
            "Fuser is past its life at 400k. Part 302-TK, two in the van.",
            "Pickup rollers. Sixty minutes on site, no special tools.",
        ],
        endings: &[
            "the new fuser is in and the counter was reset. It will remind us by itself next time.",
            "our engineer replaced the rollers and ran two hundred pages without a jam. The old ones were simply worn.",
        ],
        waits_in: "pending_parts",
    },
    Story {
        category: "Network",
        things: NETWORK,
        detail: "site L-0##",
        titles: &["{thing} drops every hour", "Slow connection at {detail}"],
        openings: &[
            "The {thing} loses the connection about once an hour, for a minute or two. Scanners freeze and people have to sign in again. {detail}.",
            "Everything at {detail} has been slow since Monday. A file that takes seconds in the main office takes ten minutes here.",
        ],
        questions: &[
            "I see the drops in our monitoring. Did anything change on your side last weekend, new devices or moved furniture?",
            "may I restart the {thing} tonight after 20:00? It would interrupt you for four minutes.",
        ],
        answers: &["The painters were here and unplugged some cables.", "After 20:00 is fine, nobody is here then."],
        notes: &[
            "Port 18 flaps, CRC errors. Cable, almost certainly.",
            "Line provider ticket opened, their reference is in the site sheet.",
        ],
        endings: &[
            "two cables were swapped after the painting. Everything is where it belongs now and we have labelled them.",
            "the restart and new firmware did it: no drop for 48 hours. We keep an eye on it.",
        ],
        waits_in: "scheduled",
    },
    Story {
        category: "Cooling",
        things: COLD,
        detail: "unit C-##",
        titles: &["Temperature alarm: {thing}", "{detail}: ice on the evaporator"],
        openings: &[
            "The {thing} ({detail}) shows 9 degrees instead of 4 and the alarm will not stop. We have moved the goods for now, but there is not much room.",
            "there is a thick layer of ice at the back of the {thing}. It cools, but it never switches off.",
        ],
        questions: &[
            "thank you for moving the goods. Is the fan at the back turning, and is the door seal intact all around?",
            "when was it last defrosted by hand? Please do not chip at the ice.",
        ],
        answers: &["The fan turns, but slowly. The seal looks fine.", "Nobody remembers, sorry. Certainly not this year."],
        notes: &[
            "Fan motor, and probably the relay with it. Refrigerant certificate needed, so only Gil or a partner.",
            "Contract says four hours for this unit, clock is running.",
        ],
        endings: &[
            "the fan motor was replaced and the room is back at 4 degrees since 11:20. The log for your auditors is attached to the visit report.",
            "defrosted, heater of the drain replaced, and the timer set to twice a day. It should not come back.",
        ],
        waits_in: "pending_parts",
    },
    Story {
        category: "Point of sale",
        things: TILLS,
        detail: "store ##7",
        titles: &["{thing} does not take cards", "{thing} frozen at {detail}"],
        openings: &[
            "Since we opened, the {thing} refuses every card with \"host not reachable\". Cash works. We are {detail} and it is Saturday.",
            "The screen of the {thing} freezes whenever a voucher is scanned. We switch it off and on about ten times a day.",
        ],
        questions: &[
            "I am on it. Do the other tills take cards? And what does the small display of the terminal say at the bottom?",
            "does it happen with all vouchers, or only with the new ones with the square code?",
        ],
        answers: &["The others work. At the bottom it says T-07.", "Only the new ones, now that you say it."],
        notes: &[
            "T-07 is an expired key. Needs a key load, can be done remotely with somebody on the phone.",
            "Vendor bug with QR vouchers, fix promised; workaround is to type the number.",
        ],
        endings: &[
            "the terminal has its new key and took a test payment. Thank you for staying on the phone!",
            "the vendor's update is on all your tills. We tried ten vouchers, all fine.",
        ],
        waits_in: "pending_callback",
    },
    Story {
        category: "Maintenance",
        things: &["yearly inspection", "filter change", "battery replacement of the UPS", "fire-door controller check"],
        detail: "contract G-####",
        titles: &["Date for the {thing}", "Please move the {thing}"],
        openings: &[
            "According to {detail} the {thing} is due this month. Could you suggest a date? Mornings are best for us.",
            "We have to move the {thing} that was planned for Wednesday, there is an audit in the house. Any day in the week after would do.",
        ],
        questions: &[
            "gladly. Would the 14th at 08:30 suit you? We need about two hours and access to the technical room.",
            "no problem. Who will be there to sign, and may we park in the yard?",
        ],
        answers: &[
            "The 14th is good. Ask for Mr Brandt at the gate.",
            "I will sign myself. Parking in the yard is fine, please leave space for the lorry.",
        ],
        notes: &[
            "Put into the planning board, Gil with the small van.",
            "Take the long ladder and batteries type 9Ah, six pieces.",
        ],
        endings: &[
            "the {thing} is done, without findings. The protocol is in your document folder under {detail}.",
            "done; one battery was weaker than it should be and was replaced under contract.",
        ],
        waits_in: "scheduled",
    },
    Story {
        category: "Quotes",
        things: &["second label printer", "access points for the new hall", "extended warranty", "replacement of six scanners"],
        detail: "quote Q-2###",
        titles: &["Quote for {thing}", "{detail} is missing the installation"],
        openings: &[
            "We are planning the {thing} for next quarter. Could you send a quote including installation and training?",
            "Your {detail} for the {thing} does not mention installation. Is it included?",
        ],
        questions: &[
            "happy to. How many people would need the training, and is there power at the place already?",
            "it is not, sorry for the confusion. Shall I add it as an option?",
        ],
        answers: &[
            "Five people. Power is there, network is not.",
            "Yes please. Our purchasing then has to approve it, that takes a few days.",
        ],
        notes: &[
            "Margin check with Omar above 10k.",
            "They compare with another offer; delivery time is what they care about.",
        ],
        endings: &[
            "the new version of {detail} is in your inbox, valid for 60 days, installation included.",
            "thank you for the order! The planning team will call you about a date.",
        ],
        waits_in: "pending_approval",
    },
    Story {
        category: "Access",
        things: &["service portal", "reporting dashboard", "remote support tool", "parts shop"],
        detail: "customer 4##1",
        titles: &["New colleague needs access to the {thing}", "{thing}: sign-in loops"],
        openings: &[
            "A new colleague starts on Monday and needs access to the {thing}, with the same rights as I have. We are {detail}.",
            "After signing in to the {thing} I land on the sign-in page again. It began yesterday, other browsers do the same.",
        ],
        questions: &[
            "please send me the name and the business address; I will send the invitation there.",
            "could you tell me whether your company introduced a new proxy or sign-in page recently?",
        ],
        answers: &["You find it in the form I filled in just now.", "Our IT says yes, since yesterday."],
        notes: &[
            "Checked with the contract holder, is allowed to add people.",
            "Their proxy strips our cookie; their IT has to add an exception.",
        ],
        endings: &[
            "the invitation is on its way and valid for three days.",
            "your IT added the exception and I can see that you are signed in. Nothing else to do.",
        ],
        waits_in: "pending_info",
    },
    Story {
        category: "Network",
        things: &["handheld scanners", "meeting room phones", "guest Wi-Fi", "time clock at the gate"],
        detail: "building #",
        titles: &["{thing} offline in {detail}", "{thing}: new ones do not connect"],
        openings: &[
            "None of the {thing} in {detail} have worked since the power cut on Sunday. Everything else is back.",
            "We got six more {thing} and they do not connect, although they are set up like the old ones.",
        ],
        questions: &[
            "is the small box under the desk in the server room showing a green or an orange light?",
            "could you send me the MAC address of one of them? It is on the sticker at the back.",
        ],
        answers: &["Orange, blinking.", "Sent as a photo. I hope it is readable."],
        notes: &[
            "Controller lost its licence file after the power cut.",
            "They were not in the allow list. Added; ask for a restart.",
        ],
        endings: &[
            "the controller has its licence again and all of them came back by themselves.",
            "the new ones are allowed now; please switch each of them off and on once.",
        ],
        waits_in: "pending_info",
    },
    Story {
        category: "Printing",
        things: PRINTERS,
        detail: "asset P-7###",
        titles: &["Toner for the {thing}", "Streaks on prints from the {thing}"],
        openings: &[
            "The {thing} ({detail}) says that toner is low, but none has arrived. Does it not order by itself?",
            "Every page from the {thing} has a grey streak on the right side. Cleaning the glass did not help.",
        ],
        questions: &[
            "it should. I see that it has not reported its level for three weeks. Was it moved to another network socket?",
            "is the streak on copies only, or on prints from a computer too?",
        ],
        answers: &["Yes, to the new office. The socket there is probably different.", "On both."],
        notes: &["Wrong VLAN after the move. Toner sent by hand meanwhile.", "Drum unit. Covered by the page price."],
        endings: &[
            "toner arrives tomorrow, and the socket is in the right network now, so it will order by itself again.",
            "the drum was changed during today's visit and pages are clean.",
        ],
        waits_in: "pending_parts",
    },
    Story {
        category: "Cooling",
        things: COLD,
        detail: "sensor T-###",
        titles: &["Calibration certificate for {detail}", "{thing}: log has gaps"],
        openings: &[
            "Our auditor asks for the calibration certificate of {detail} in the {thing}. The one we have ends in May.",
            "The temperature log of the {thing} has gaps of up to two hours. We must be able to show it without gaps.",
        ],
        questions: &[
            "I am looking for it. Would a copy of the certificate of the reference thermometer help until then?",
            "are the gaps always at the same time of day?",
        ],
        answers: &["It would, thank you. The audit is on Thursday.", "Mostly at night, between one and four."],
        notes: &["Lab says the certificate was issued, never uploaded.", "Backup window of the gateway; buffer is too small."],
        endings: &[
            "the certificate is in your document folder, and a reminder is set for the next one.",
            "we moved the backup and enlarged the buffer. The log has been complete for three nights now.",
        ],
        waits_in: "pending_callback",
    },
];
