//! The most common passwords of ten characters and more, as far as they are neither runs of keys nor made of the shorter
//! words beside this: what is left of each without its digits and signs. Put together by hand from what is known of such
//! lists, about two hundred; it is no copy of one. A password that is one of these with digits, signs, or the one twice is
//! refused like it.

/// They are looked for before shorter words are, since many contain one.
pub const COMMON: &str = "worldofwarcraft counterstrike schmetterling motherfucker jesuslovesme sonnenschein jesuschrist sonnenblume \
    lamborghini teletubbies harrypotter christopher mickeymouse weihnachten ilovemyself oesterreich krankenhaus \
    playstation galatasaray blackberry strawberry watermelon cheesecake volkswagen manchester realmadrid linkinpark \
    california washington volleyball skateboard tinkerbell terminator undertaker sweetheart friendship bestfriend \
    ilovejesus prinzessin schokolade callofduty mypassword nopassword frankreich maximilian fenerbahce blockchain \
    feuerwehr arschloch eintracht frankfurt barcelona elizabeth alexandra charlotte stephanie valentina christian \
    katharina franziska chocolate butterfly metallica chevrolet snowboard motocross spiderman spongebob scoobydoo \
    bubblegum instagram minecraft starcraft kartoffel gummibaer engelchen pass1word australia tothemoon motorrad \
    scheisse borussia hannover juventus michelle nicholas benjamin jonathan samantha victoria veronica isabella \
    fernando patricia slipknot greenday mercedes corvette kawasaki gangster startrek babygirl lovelove bullshit \
    rockstar elephant motorola facebook linkedin fortnite warcraft halflife nintendo erdbeere lollipop schnecke \
    schnucki passport drowssap istanbul besiktas bitcoins ethereum nakamoto benfica ronaldo anthony jessica charlie \
    patrick richard william matthew vanessa natalie gabriel florian susanne claudia nirvana porsche ferrari mustang \
    playboy bubbles babyboy fuckyou fuckoff asshole brother blessed rockyou dolphin samsung android youtube gandalf \
    phoenix pegasus mercury jupiter peaches pumpkin chicken turkiye schweiz neymar ashley robert carlos andrea \
    martin stefan markus tobias sabine yamaha mylove mother father family sister christ heaven tigger snoopy iphone \
    google matrix merlin saturn banana orange cherry ginger pepper cheese coffee monkey kitten canada mexico brasil \
    espana italia france russia moscow zürich wallet crypto messi jesus gamer frodo apple pizza puppy mausi hasi \
    pa55 wien hodl";
