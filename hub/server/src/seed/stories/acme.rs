//! Acme Home sells things for the house, by post.

use super::Story;

const KITCHEN: &[&str] =
    &["Barista One coffee machine", "Brio kettle", "Vela stand mixer", "Pico espresso grinder", "Halo toaster"];
const CONNECTED: &[&str] =
    &["Lumen floor lamp", "Breeze air purifier", "Orbit robot vacuum", "Tempo thermostat", "Sentry door camera"];
const ANYTHING: &[&str] = &[
    "Barista One coffee machine",
    "Lumen floor lamp",
    "Orbit robot vacuum",
    "Vela stand mixer",
    "linen bedding set",
    "Fjord desk chair",
    "Sentry door camera",
    "oak side table",
];

/// Its stories.
pub const ACME: &[Story] = &[
    Story {
        category: "Delivery",
        things: ANYTHING,
        detail: "AC-####1",
        titles: &["Where is my {thing}?", "Order {detail} has not arrived", "Tracking for order {detail} stopped moving"],
        openings: &[
            "I ordered a {thing} (order {detail}) nine days ago. The tracking page has said \"handed to carrier\" since last week and nothing has changed. Can you find out where it is?",
            "my parcel with the {thing} should have been here on Tuesday. The carrier tells me to ask you. Order number is {detail}.",
            "Tracking says my {thing} was delivered yesterday at 14:10, but nobody was at home then and there is no parcel at the neighbours' either. Order {detail}.",
        ],
        questions: &[
            "I am sorry about the wait. I have opened a search with the carrier for order {detail}. Could you confirm the delivery address, including the floor and the name on the bell?",
            "that is not the experience we want you to have. I asked the depot to look for parcel {detail}. Is there a neighbour or a shop where your parcels are sometimes left?",
        ],
        answers: &[
            "The address is right: third floor, the bell says our family name. No neighbour has it, I asked all of them.",
            "Address is correct. There is a bakery downstairs that sometimes takes parcels, but not this time.",
        ],
        notes: &[
            "Depot says the parcel was scanned out twice. Looks like it went back to the hub; they call us by tomorrow noon.",
            "Third lost parcel on this route this month. Told logistics, they are looking at the driver's scans.",
        ],
        endings: &[
            "good news: the depot found your {thing}. It goes out again today and you will get a message with a one hour window. I have refunded the shipping.",
            "the carrier has declared the parcel lost, so a new {thing} leaves our warehouse this afternoon by express. The new tracking number is in your inbox.",
        ],
        waits_in: "",
    },
    Story {
        category: "Returns",
        things: ANYTHING,
        detail: "AC-####7",
        titles: &[
            "Return of {thing}, order {detail}",
            "Return label for {detail} does not open",
            "I would like to send the {thing} back",
        ],
        openings: &[
            "The {thing} is lovely but it is simply too big for our flat. How do I send it back? I still have the box. Order {detail}.",
            "I asked for a return label for order {detail} twice and the link in the mail says it has expired. I only have until Friday.",
            "Can I return the {thing} although I have already unpacked it? I used it once.",
        ],
        questions: &[
            "of course you can return it within 30 days, unpacked or not. Would you rather have the parcel picked up or bring it to a shop?",
            "no problem at all, I will make you a fresh label. Is the original packaging still usable?",
        ],
        answers: &[
            "Pick-up would be great, any weekday after 17:00.",
            "I can bring it to the shop near the station. The box is fine.",
        ],
        notes: &[
            "Label service returned 410 for the old link, made a new one by hand.",
            "Within 30 days, no deduction. Inspect only the power supply.",
        ],
        endings: &[
            "the pick-up is booked for Thursday between 17:00 and 20:00. You do not have to print anything, the driver brings the label.",
            "your new label is attached to the confirmation mail and stays valid for 14 days. The refund follows two working days after the parcel is scanned.",
        ],
        waits_in: "",
    },
    Story {
        category: "Refunds",
        things: ANYTHING,
        detail: "AC-####3",
        titles: &[
            "Refund for {detail} still missing",
            "Refund amount is wrong ({detail})",
            "When do I get my money back for the {thing}?",
        ],
        openings: &[
            "You confirmed on the 3rd that my {thing} arrived back at your warehouse. It is now two weeks later and my bank shows nothing. Order {detail}.",
            "I was refunded for {detail}, but the shipping costs are missing. The item was faulty, so I do not think I should pay for them.",
            "I paid for the {thing} partly with a gift card. How does that work with the refund?",
        ],
        questions: &[
            "I can see the refund for {detail} left us on our side. May I ask which payment method you used, and whether the card is still the same?",
            "you are right to ask. I am checking this with accounting. Could you tell me the last four digits of the card you paid with? Please no more than that.",
        ],
        answers: &[
            "I paid with my debit card, which was replaced last month! Could that be it?",
            "It was the same credit card as always, ending in 4417.",
        ],
        notes: &[
            "Accounting: refund bounced, card was replaced. They will do a bank transfer, needs IBAN through the secure form.",
            "Shipping was indeed not included. Faulty item, so we owe it.",
        ],
        endings: &[
            "accounting has sent the money again, this time to the new card. You will see it by the end of the week; if not, simply answer here.",
            "the missing part is on its way and should be with you within three working days. Sorry that you had to ask.",
        ],
        waits_in: "",
    },
    Story {
        category: "Repairs",
        things: KITCHEN,
        detail: "SN 8#4-##2#",
        titles: &["Water under the {thing}", "{thing} leaks"],
        openings: &[
            "Since this weekend there is a small puddle under my {thing} every morning. I tightened everything I could reach. Serial number {detail}.",
            "The {thing} I bought in spring has started to drip from the bottom while heating. Is it still safe to use?",
        ],
        questions: &[
            "please unplug it for now. Could you send us a photo of the underside, and tell us whether it drips all the time or only while it is heating?",
            "thank you for the serial number, it is still under warranty. Did the dripping begin after descaling, by any chance?",
        ],
        answers: &[
            "It drips all the time, even when switched off. Photo attached. It is unplugged now.",
            "Only while heating, and yes, I descaled it on Saturday.",
        ],
        notes: &[
            "Batch 84x has a known weak gasket. Do not ask the customer to open it; exchange.",
            "Gasket kit in stock: 40 pieces.",
        ],
        endings: &[
            "this is a gasket we have had trouble with. A new {thing} leaves today; please put the old one into the same box and use the enclosed label.",
            "we are sending you a gasket kit with a two minute video. If you prefer that we do it, say so and we will have it picked up.",
        ],
        waits_in: "",
    },
    Story {
        category: "Setup",
        things: CONNECTED,
        detail: "firmware 2.#.#",
        titles: &["{thing} will not join my Wi-Fi", "{thing} goes offline every night", "Cannot pair the {thing}"],
        openings: &[
            "I cannot get the {thing} into my network. The app finds it, asks for the password, and then says \"something went wrong\". It runs {detail}.",
            "the {thing} worked for a month and now loses the connection every night around two. In the morning I have to unplug it.",
            "We changed our router and the {thing} still wants the old network. The reset described in the manual does nothing.",
        ],
        questions: &[
            "could you tell me which router you have, and whether 2.4 and 5 GHz share one name? The {thing} can only use 2.4 GHz.",
            "let us get it online. Please hold the button for twelve seconds, not five, until the light turns amber. What does the app say then?",
        ],
        answers: &[
            "They share one name. I did not know that could matter!",
            "Light turned amber, app says \"update required\" and then stays at 0 %.",
        ],
        notes: &[
            "Update server is fine. Everyone with {detail} and a shared SSID has this; the fix is in 2.9.",
            "Suggest the guest network as a workaround until the update is out.",
        ],
        endings: &[
            "that explains it. If you switch on the guest network with 2.4 GHz only and use it for the {thing}, it will stay connected. An update that copes with shared names is out next week.",
            "thank you for your patience. I pushed the update to your device; after one restart it should stay online. Tell me if it does not.",
        ],
        waits_in: "",
    },
    Story {
        category: "Setup",
        things: CONNECTED,
        detail: "app 5.##",
        titles: &["App shows the {thing} twice", "Sharing the {thing} with my partner"],
        openings: &[
            "Since the update to {detail} my {thing} is in the list twice, one of them always offline. Removing it removes both.",
            "How can my partner use the {thing} from her phone too? The invitation never arrives.",
        ],
        questions: &[
            "thank you, that helps. Do both entries show the same serial number when you tap on the little i?",
            "which address did you send the invitation to? They sometimes end up in the spam folder.",
        ],
        answers: &["Yes, the same number on both.", "It was not in spam. I tried two addresses, both at the same provider."],
        notes: &[
            "Duplicate after account merge, known: run the merge clean-up for this household.",
            "Provider rejects our invitation mails since Monday, infrastructure knows.",
        ],
        endings: &[
            "I have cleaned up your household. Please close the app completely and open it again, there should be one {thing} only.",
            "I have sent the invitation again in another way, it should be there by now.",
        ],
        waits_in: "",
    },
    Story {
        category: "Billing",
        things: ANYTHING,
        detail: "INV-20####",
        titles: &["Need an invoice with VAT number", "Charged twice for {detail}"],
        openings: &[
            "Could you please issue invoice {detail} again with our company name and VAT number? Our bookkeeping does not accept it like this.",
            "my card was charged twice for the {thing}, on the same day, the same amount. The invoice is {detail}.",
        ],
        questions: &[
            "certainly. Please send me the exact company name, address and VAT number as they should appear.",
            "one of the two may be a reservation that disappears by itself. Are both of them booked, or is one marked as pending?",
        ],
        answers: &["Sent through the form just now. Please keep the order date.", "Both are booked since yesterday, sadly."],
        notes: &[
            "Corrected invoice needs a credit note first.",
            "Payment provider confirms a double capture, timeout on our side at 09:41.",
        ],
        endings: &[
            "the corrected invoice replaces {detail} and is in your account under Documents.",
            "you are right, and we are sorry: the second charge has been sent back and will show within two days.",
        ],
        waits_in: "",
    },
    Story {
        category: "Product questions",
        things: ANYTHING,
        detail: "item ##-###",
        titles: &["Is the {thing} available in dark green?", "Spare parts for the {thing}"],
        openings: &[
            "Does the {thing} ({detail}) come in other colours? The page shows only two, but I saw a green one at a friend's place.",
            "Where can I buy spare parts for the {thing}? I would rather repair than replace.",
        ],
        questions: &[
            "nice that you ask before ordering. Is it for {detail}, or for the larger model?",
            "we like that attitude! Which part is it that you need?",
        ],
        answers: &["For {detail}, the smaller one.", "Just the little plastic clip at the back."],
        notes: &["Green was a limited edition, 12 left in the outlet.", "Clip is part 77-120, we send it for free."],
        endings: &[
            "there are a few left and I have put one aside for you until Sunday. The link is in your mail.",
            "the part is in an envelope to you, free of charge. Have fun fixing it!",
        ],
        waits_in: "",
    },
    Story {
        category: "Repairs",
        things: CONNECTED,
        detail: "SN 7##-#1##",
        titles: &["{thing} makes a grinding noise", "{thing} stops after five minutes"],
        openings: &[
            "My {thing} has begun to make a grinding noise, like sand in a gear. It still works but I doubt it will for long. {detail}",
            "After five minutes the {thing} stops and blinks red three times. The manual does not mention three times.",
        ],
        questions: &[
            "could you record the noise with your phone? Ten seconds are enough.",
            "three times red means it got too warm. Does air reach it from all sides?",
        ],
        answers: &[
            "Video attached. It is worst in the first minute.",
            "It stands free in the middle of the room. It is also quite new.",
        ],
        notes: &[
            "Bearing. Send to the workshop, six working days at the moment.",
            "Temperature sensor of this batch reads 9 degrees too high; firmware helps.",
        ],
        endings: &[
            "that is the bearing, and it is on us. Please send it in with the label below; you will have it back within eight working days.",
            "there is an update that corrects the temperature reading. I have released it for your device, please let it restart once.",
        ],
        waits_in: "",
    },
    Story {
        category: "Account",
        things: &["loyalty card", "customer card"],
        detail: "card 60##-##",
        titles: &["Cannot sign in any more ({detail})", "Two accounts, one {thing}"],
        openings: &[
            "I changed my phone and do not get the codes any more, so I am locked out. My {thing} is {detail}.",
            "I seem to have two accounts, one with each of my mail addresses, and my {thing} is in the wrong one.",
        ],
        questions: &[
            "to be sure that it is you: please answer from the address that you used for your last order.",
            "I can merge the two. Which of the addresses would you like to keep?",
        ],
        answers: &["This is that address.", "Please keep this one, the other will be gone soon."],
        notes: &["Identity checked by order history and callback.", "Merged; points moved by hand."],
        endings: &[
            "done. You can sign in with the link in your mail and set up a new phone there.",
            "everything is in one account now, points included.",
        ],
        waits_in: "",
    },
    Story {
        category: "Delivery",
        things: ANYTHING,
        detail: "AC-####5",
        titles: &["{thing} arrived damaged", "Wrong colour delivered, order {detail}"],
        openings: &[
            "The box looked fine but the {thing} inside has a crack along the side. Photos attached. Order {detail}.",
            "I ordered the {thing} in white and got black. It is a present for Saturday, can this still be solved?",
        ],
        questions: &[
            "oh no. Would you like a replacement, or keep it at a discount?",
            "sorry! I am looking for the fastest way. Will somebody be at home on Friday morning?",
        ],
        answers: &["A replacement please, it is rather visible.", "Yes, all morning. That would be wonderful."],
        notes: &[
            "Packing line 2 again. Sent the photos to Priya in quality.",
            "Express exchange approved, driver takes the wrong one along.",
        ],
        endings: &[
            "the replacement is on its way and the driver takes the damaged one along. Nothing for you to pay or print.",
            "a new one will be with you on Friday before noon, wrapped as a present. Sorry for the scare!",
        ],
        waits_in: "",
    },
    Story {
        category: "Product questions",
        things: KITCHEN,
        detail: "item 11-###",
        titles: &["Smell of plastic from the {thing}", "Can the {thing} go into the dishwasher?"],
        openings: &[
            "The {thing} still smells of plastic after ten uses. Is that normal, and is it harmless?",
            "Which parts of the {thing} may go into the dishwasher? The manual says one thing and the sticker another.",
        ],
        questions: &[
            "did you boil it out twice with a spoon of baking soda, as described on page 4? That usually does it.",
            "the sticker wins, always. Which part is it?",
        ],
        answers: &["I did not know that, I will try it tonight.", "The glass jug, with the metal ring."],
        notes: &["Manual page 12 contradicts the sticker, told the documentation team.", "Harmless, lab report in the wiki."],
        endings: &[
            "then you are all set. The smell is harmless, we have it tested for each batch; it should be gone after the second time.",
            "the jug may, the ring may not. We are correcting the manual, thank you for pointing it out!",
        ],
        waits_in: "",
    },
];
