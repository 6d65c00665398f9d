//! A shop that sells to guests: two merchants with goods, delivery and tax, and short words for shopping there.

use crate::{Shop, at, delivery_rates, eur};
use serde_json::{Value, json};
use souk::api::{Answer, Api};

/// Alma sells a mug for 10.00 and a bowl for 7.35, Birch a scarf for 20.00; each delivers from Berlin.
#[derive(Debug)]
pub struct Storefront {
    pub shop: Shop,
    pub alma: String,
    pub birch: String,
    pub mug: String,
    pub bowl: String,
    pub scarf: String,
    pub guest: Api,
}

impl Storefront {
    /// With a hundred of everything, and German tax of 19 % in the prices.
    pub async fn open() -> Self {
        Self::stocked(100).await
    }

    /// With so many of everything.
    pub async fn stocked(units: i64) -> Self {
        Self::open_in(Shop::open().await, units).await
    }

    /// The same in a shop that is there already.
    pub async fn open_in(shop: Shop, units: i64) -> Self {
        let tax = json!({"rates": [{"from": "2021-01-01", "treatment": "standard", "percent": "19"}]});
        shop.done("/v1/tax/rates/DE/set", &tax).await;
        let alma = shop.merchant("alma", json!({"every": "day"})).await;
        let birch = shop.merchant("birch", json!({"every": "day"})).await;
        for merchant in [&alma, &birch] {
            shop.done(&format!("/v1/delivery/{merchant}/set"), &delivery_rates()).await;
        }
        let [mug, bowl, scarf] =
            [(&alma, "mug", "10.00"), (&alma, "bowl", "7.35"), (&birch, "scarf", "20.00")];
        let mug = sell(&shop, mug, units).await;
        let bowl = sell(&shop, bowl, units).await;
        let scarf = sell(&shop, scarf, units).await;
        shop.settle().await;
        let guest = shop.guest();
        Self { shop, alma, birch, mug, bowl, scarf, guest }
    }

    /// An empty cart for Germany; answers its id.
    pub async fn cart(&self) -> String {
        let answer = self.guest.post("/v1/carts", &json!({"country": "DE"}), "").await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        at(&answer.body, "/id").to_owned()
    }

    /// An edit that goes ahead; answers the cart.
    pub async fn edit(&self, cart: &str, edit: &Value) -> Value {
        let answer = self.try_edit(cart, edit).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    pub async fn try_edit(&self, cart: &str, edit: &Value) -> Answer {
        self.guest.post(&format!("/v1/carts/{cart}/edit"), edit, "").await
    }

    pub async fn show(&self, cart: &str) -> Value {
        let answer = self.guest.get(&format!("/v1/carts/{cart}")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    /// Two mugs, a bowl and a scarf.
    pub fn goods(&self) -> Value {
        let add = [(&self.mug, 2), (&self.bowl, 1), (&self.scarf, 1)];
        json!(add.map(|(offer, quantity)| json!({"offer": offer, "quantity": quantity})))
    }

    /// A call of a checkout: `hold`, `pay` or `confirm`.
    pub async fn checkout(&self, cart: &str, word: &str, body: &Value) -> Answer {
        self.guest.post(&format!("/v1/checkouts/{cart}/{word}"), body, "").await
    }

    /// Pays a cart with one card.
    pub async fn pay(&self, cart: &str, total: &str, token: &str) -> Answer {
        self.checkout(cart, "pay", &by_card(total, token)).await
    }

    /// A ready cart, paid; answers the order's id once it is split.
    pub async fn order(&self) -> String {
        let cart = self.ready().await;
        let paid = self.pay(&cart, "57.15", "tok_approved").await;
        assert_eq!(paid.status, 201, "{}", paid.body);
        self.shop.settle().await;
        paid.text("/order/id").to_owned()
    }

    /// A cart in which nothing is missing but the payment: 57.15 with 4.90 of delivery from each.
    pub async fn ready(&self) -> String {
        let cart = self.cart().await;
        self.edit(&cart, &json!({"add": self.goods()})).await;
        let delivery = [&self.alma, &self.birch].map(|of| json!({"merchant": of, "service": "standard"}));
        let edit = json!({"contact": contact(), "address": address(), "delivery": delivery});
        self.edit(&cart, &edit).await;
        cart
    }
}

impl Shop {
    /// A guest's cart with a mug of a merchant in it, whose owner may be reminded of it.
    pub async fn left_cart(&self, merchant: &str, email: &str) -> String {
        let guest = self.guest();
        let cart = guest.post("/v1/carts", &json!({"country": "DE"}), "").await.text("/id").to_owned();
        let edit = json!({
            "add": [{"merchant": merchant, "sku": "mug", "quantity": 1}],
            "contact": {"email": email, "marketing": true, "time_zone": "Europe/Berlin"},
        });
        guest.post(&format!("/v1/carts/{cart}/edit"), &edit, "").await.ok().unwrap();
        cart
    }

    /// Its owner comes back and orders; answers the order's id.
    pub async fn pay_left(&self, cart: &str, merchant: &str) -> String {
        let guest = self.guest();
        let delivery = json!([{"merchant": merchant, "service": "standard"}]);
        let edit = json!({"address": address(), "delivery": delivery});
        let cart_now = guest.post(&format!("/v1/carts/{cart}/edit"), &edit, "").await.ok().unwrap();
        let pay = by_card(&crate::eur_at(&cart_now, "/totals/total"), "tok_approved");
        let paid = guest.post(&format!("/v1/checkouts/{cart}/pay"), &pay, "").await;
        assert_eq!(paid.status, 201, "{}", paid.body);
        self.settle().await;
        paid.text("/order/id").to_owned()
    }
}

async fn sell(shop: &Shop, (merchant, sku, price): (&String, &str, &str), units: i64) -> String {
    let offer = shop.offer(merchant, sku, price).await;
    shop.done(&format!("/v1/stock/{offer}/receive"), &json!({"quantity": units})).await;
    offer
}

/// What is sent to pay so much with a card.
pub fn by_card(total: &str, token: &str) -> Value {
    json!({"expected_total": eur(total), "payments": [{"method": "card", "token": token}]})
}

pub fn contact() -> Value {
    json!({"email": "ines@post.example"})
}

pub fn address() -> Value {
    json!({
        "country": "DE",
        "name": "Ines Groß",
        "lines": ["Lindenweg 5"],
        "city": "Berlin",
        "postal_code": "10969",
    })
}
