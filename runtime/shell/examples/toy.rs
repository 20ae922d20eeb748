#[path = "../tests/it/toy.rs"]
#[allow(dead_code, unused)]
mod toy;
fn main() { let mut t = toy::Toy::start(); println!("{}", t.url()); loop { let mut s = String::new(); std::io::stdin().read_line(&mut s).unwrap(); match s.trim() { "stop" => t.go_away(), "start" => t.come_back(), "log" => println!("{:?}", t.log()), "" => break, _ => {} } } }
